"""An encoder that is trained once, on simulated series with known states, and used frozen."""
