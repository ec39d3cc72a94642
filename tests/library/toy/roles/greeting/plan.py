from nexus.plan.desired import Desired, Directory, File, Link


def plan(env, host):
    text = env.render("greeting/words.j2", host=host)
    return Desired(
        directories=(Directory("/etc/toy", mode=0o750),),
        files=(File("/etc/toy/words", text), File("/etc/toy/key", env.secret("greeting/key"), mode=0o600, secret=True)),
        links=(Link("/etc/toy/latest", "/etc/toy/words"),),
    )


def notes(env):
    return ["nobody is greeted"] if not env.setting.greeting_words else []


def preflight(env, host):
    return 'test ! -e /etc/toy-forbidden || { echo "somebody forbids toys here"; exit 1; }'
