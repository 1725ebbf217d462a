"""Do the answers of the analysis hold what they promise? Simulated studies say so."""
