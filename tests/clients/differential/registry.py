"""The list of scenarios: @scenario(title, api) runs a function once for each version of the request that is under test."""

from scene import VERSIONS

SCENARIOS = []  # (title, api, versions, function)


def scenario(title, api=None, versions=None):
    def register(function):
        oldest, newest = VERSIONS[api] if api else (0, 0)
        SCENARIOS.append((title, api, versions or range(oldest, newest + 1), function))
        return function
    return register
