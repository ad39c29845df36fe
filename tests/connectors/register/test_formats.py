from connectors.register.formats import sorts_as_time_goes, strptime_format


def test_a_format_is_a_pattern_of_known_parts() -> None:
    assert strptime_format("dd/MM/yyyy HH:mm:ss") == "%d/%m/%Y %H:%M:%S"


def test_a_text_sorts_as_time_goes_if_its_coarsest_part_comes_first() -> None:
    assert sorts_as_time_goes("yyyy/MM/dd HH:mm")
    assert not sorts_as_time_goes("yyyy/dd/MM")
    assert not sorts_as_time_goes("HH:mm dd/MM/yyyy")
