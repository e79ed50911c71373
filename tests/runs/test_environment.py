from importlib.metadata import distributions

from shopguide.runs.environment import installed


def test_all_that_is_installed_is_listed_as_the_library_reads_it() -> None:
    assert installed() == sorted({f"{found.metadata['Name']}=={found.version}" for found in distributions()})
