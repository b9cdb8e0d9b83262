"""The tool as SAML 2.0 identity provider: Coursera believes it who a learner is.

Signatures are signxml's; the messages around them are written and read here (decision 10).
"""
