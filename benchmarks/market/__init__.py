"""What regimes say about the next bar of a real market, beside the field's own tools.

``python -m benchmarks.market`` walks forward over daily closes: S&P 500 and NASDAQ, which the extra
``samples`` carries, and NASDAQ 100 and EUR/USD from the folder that ``REGIMETRY_DATA`` names. Every
method is fitted on the same bars, is asked about the same later bars, and trades by the same rule.
"""
