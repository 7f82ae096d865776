"""What do the formulas have to equal? Hardware stepped cycle by cycle, in plain integers."""
