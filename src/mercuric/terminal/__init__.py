"""How do commands speak with a terminal?"""
