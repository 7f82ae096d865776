"""How are files written and read, so that nothing is lost and nothing harmful is believed?"""
