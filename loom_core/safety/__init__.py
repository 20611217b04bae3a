"""Psi: rules, vetoes, paths and limits, as pure judgements over plain values."""
