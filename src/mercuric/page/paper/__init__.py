"""How does a chart look in a paper? Drawn by matplotlib, which needs no browser, from what Plotly is told."""
