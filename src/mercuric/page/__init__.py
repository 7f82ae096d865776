"""How is a result shown: one page of HTML that loads nothing?"""
