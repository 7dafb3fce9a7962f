"""The types that flow one way: state, plan, levels and the series they are made of."""
