"""Back up now, before the timer does."""

from roles.restore import back_up

back_up()
