"""Settings: known names only, right types, the documented order of precedence."""

import pytest

from nexus.environment import inventory, settings
from nexus.error import OperatorError


def test_every_default_is_known_once():
    known = settings.defaults()
    assert known["postgresql_port"] == 5432
    assert known["domain"] == "nexuscos.example.com"


def test_an_unknown_setting_is_refused_with_a_suggestion():
    with pytest.raises(
        OperatorError, match=r'--data: unknown setting "postgresql_prot"; did you mean "postgresql_port"'
    ):
        inventory.load("lab", {"postgresql_prot": 1})


def test_a_setting_of_the_wrong_type_is_refused_with_an_example():
    with pytest.raises(OperatorError, match=r'setting "postgresql_port" is .*a list; it must be an int such as 5432'):
        inventory.load("lab", {"postgresql_port": [1]})


def test_numbers_given_for_text_become_text():
    assert inventory.load("lab", {"release": 2}).setting.release == "2"


def test_an_environment_overrides_the_defaults():
    assert inventory.load("lab").setting.secrets_generate is True
    assert settings.defaults()["secrets_generate"] is False


def test_an_unknown_environment_is_named_with_those_there_are():
    with pytest.raises(OperatorError, match=r'unknown environment "labb"; did you mean "lab"\?\nKnown: .*box'):
        inventory.load("labb")


def test_an_unknown_host_cannot_be_left_out():
    with pytest.raises(OperatorError, match='without=app9: lab has no such host; did you mean "app'):
        inventory.load("lab", without="app9")


@pytest.mark.parametrize(("old", "new"), settings.renamed().items())
def test_a_renamed_setting_is_refused_with_its_new_name(old: str, new: str) -> None:
    assert new in settings.defaults()
    assert settings.check({old: "x"}, "lab.py") == [f'lab.py: setting "{old}" is called "{new}" now']


def test_settings_were_renamed() -> None:
    assert settings.renamed()["swarm_gateway_network"] == "gateway_network"
