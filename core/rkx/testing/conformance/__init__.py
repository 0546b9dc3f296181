"""The laws that every plugin keeps, as tests: a module for each group of stages.

A module's ``STAGES`` say whose laws it holds, its ``HOOK`` which hook a plugin must have for them.
"""
