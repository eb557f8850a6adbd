#include "backends/linux/plan/acting_names.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"

#define SHELL "a shell runs it when it starts"
#define SESSION "the desktop runs it when its user logs in"
#define EDITOR "an editor runs what it says when the folder is opened"
#define VIM "vim runs it when it is started in the folder"
#define EMACS "emacs evaluates it when a file of the folder is opened"
#define AGENT "a coding agent runs its hooks and servers in the folder"
#define HOOKS "git runs it as a hook"
#define GIT "git runs the hooks and commands that it names"
#define NODE "a package manager runs, or sends its tokens to, what it names"
#define BUILD "a build tool runs what it says"
#define TOOLS "entering the folder runs what it says, or chooses the programs that are run"
#define DEBUGGER "a debugger runs it when it is started in the folder"
#define CONSOLE "an interpreter runs it when its console is started"
#define TERMINAL "a program of the terminal runs the commands in it"
#define LOGIN "it says who may log in, and what a login runs"
#define CLOUD "a cloud's tools run what it names to get keys"
#define MAIL "a mail program runs what it names"

/* clang-format off */
const struct heel_acting_name heel_acting_names[] = {
    {".git", GIT, true},
    {".hg", "Mercurial runs the hooks and extensions that it names", true},
    {".jj", "Jujutsu runs the commands that it names", true},
    {".bzr", "Breezy runs the plugins and hooks that it names", true},

    {".gitconfig", GIT, false},
    {".config/git", GIT, false},
    {".githooks", HOOKS, false},
    {".husky", HOOKS, false},

    {".profile", SHELL, false},
    {".login", SHELL, false},
    {".logout", SHELL, false},
    {".bashrc", SHELL, false},
    {".bash_profile", SHELL, false},
    {".bash_login", SHELL, false},
    {".bash_logout", SHELL, false},
    {".bash_aliases", SHELL, false},
    {".bash_completion", SHELL, false},
    {".zshrc", SHELL, false},
    {".zshenv", SHELL, false},
    {".zprofile", SHELL, false},
    {".zlogin", SHELL, false},
    {".zlogout", SHELL, false},
    {".oh-my-zsh", SHELL, false},
    {".kshrc", SHELL, false},
    {".mkshrc", SHELL, false},
    {".cshrc", SHELL, false},
    {".tcshrc", SHELL, false},
    {".inputrc", "a shell binds keys to what it says", false},
    {".config/fish", SHELL, false},
    {".config/nushell", SHELL, false},
    {".config/powershell", SHELL, false},
    {".config/starship.toml", SHELL, false},

    {".xprofile", SESSION, false},
    {".xinitrc", SESSION, false},
    {".xsession", SESSION, false},
    {".xsessionrc", SESSION, false},
    {".pam_environment", SESSION, false},
    {".config/autostart", SESSION, false},
    {".config/environment.d", SESSION, false},
    {".config/systemd", SESSION, false},
    {".config/i3", SESSION, false},
    {".config/sway", SESSION, false},
    {".config/hypr", SESSION, false},
    {".local/share/applications", "the desktop starts the programs that it names", false},
    {".local/share/systemd", SESSION, false},
    {".mailcap", "mail programs run what it names", false},

    {".vscode", EDITOR, false},
    {".vscode-server", EDITOR, false},
    {".vs", EDITOR, false},
    {".idea", EDITOR, false},
    {".fleet", EDITOR, false},
    {".zed", EDITOR, false},
    {".nova", EDITOR, false},
    {".helix", EDITOR, false},
    {".config/helix", EDITOR, false},
    {".devcontainer", EDITOR, false},
    {".devcontainer.json", EDITOR, false},
    {".exrc", VIM, false},
    {".vimrc", VIM, false},
    {".gvimrc", VIM, false},
    {".vim", VIM, false},
    {".nvimrc", VIM, false},
    {".nvim.lua", VIM, false},
    {".lvimrc", VIM, false},
    {".config/nvim", VIM, false},
    {".dir-locals.el", EMACS, false},
    {".dir-locals-2.el", EMACS, false},
    {".emacs", EMACS, false},
    {".emacs.d", EMACS, false},
    {".config/emacs", EMACS, false},
    {".nanorc", "nano runs the spell checkers and formatters that it names", false},

    {".mcp.json", AGENT, false},
    {".claude", AGENT, false},
    {".codex", AGENT, false},
    {".cursor", AGENT, false},
    {".windsurf", AGENT, false},
    {".gemini", AGENT, false},
    {".kiro", AGENT, false},
    {".roo", AGENT, false},
    {".amazonq", AGENT, false},
    {".continue", AGENT, false},
    {".opencode", AGENT, false},
    {"opencode.json", AGENT, false},
    {"opencode.jsonc", AGENT, false},
    {".aider.conf.yml", AGENT, false},

    {".envrc", TOOLS, false},
    {"heel.yaml", "heel runs code with the rights that its profiles name", false},
    {".autoenv", TOOLS, false},
    {".autoenv.zsh", TOOLS, false},
    {"mise.toml", TOOLS, false},
    {".mise.toml", TOOLS, false},
    {"mise.local.toml", TOOLS, false},
    {".mise", TOOLS, false},
    {".config/mise", TOOLS, false},
    {".config/mise.toml", TOOLS, false},
    {".rtx.toml", TOOLS, false},
    {".asdfrc", TOOLS, false},
    {".tool-versions", TOOLS, false},
    {".config/direnv", TOOLS, false},

    {".npmrc", NODE, false},
    {".yarnrc", NODE, false},
    {".yarnrc.yml", NODE, false},
    {".yarn/plugins", NODE, false},
    {".yarn/releases", NODE, false},
    {".pnpmfile.cjs", NODE, false},
    {".pnpmfile.mjs", NODE, false},
    {"bunfig.toml", NODE, false},
    {".bunfig.toml", NODE, false},
    {".pypirc", NODE, false},
    {".gemrc", NODE, false},

    {".cargo/config", BUILD, false},
    {".cargo/config.toml", BUILD, false},
    {".bazelrc", BUILD, false},
    {".bazeliskrc", BUILD, false},
    {"tools/bazel", BUILD, false},
    {".mvn", BUILD, false},
    {".m2/settings.xml", BUILD, false},
    {".gradle/init.gradle", BUILD, false},
    {".gradle/init.d", BUILD, false},
    {".sbtopts", BUILD, false},
    {".jvmopts", BUILD, false},
    {".pydistutils.cfg", BUILD, false},

    {".gdbinit", DEBUGGER, false},
    {".gdbearlyinit", DEBUGGER, false},
    {".config/gdb", DEBUGGER, false},
    {".lldbinit", DEBUGGER, false},
    {".pdbrc", DEBUGGER, false},
    {".radare2rc", DEBUGGER, false},

    {".ipython", CONSOLE, false},
    {".irbrc", CONSOLE, false},
    {".pryrc", CONSOLE, false},
    {".iex.exs", CONSOLE, false},
    {".ghci", CONSOLE, false},
    {".ocamlinit", CONSOLE, false},
    {".utoprc", CONSOLE, false},
    {".rprofile", CONSOLE, false},
    {".renviron", CONSOLE, false},
    {".julia/config", CONSOLE, false},
    {".psqlrc", CONSOLE, false},
    {".sqliterc", CONSOLE, false},
    {".mongorc.js", CONSOLE, false},
    {".mongoshrc.js", CONSOLE, false},
    {".erlang", CONSOLE, false},
    {".octaverc", CONSOLE, false},
    {".sbclrc", CONSOLE, false},
    {".guile", CONSOLE, false},
    {".perldb", DEBUGGER, false},
    {".jupyter", "a notebook server runs it when it is started", false},

    {".ssh", LOGIN, false},
    {".rhosts", LOGIN, false},
    {".shosts", LOGIN, false},
    {".k5login", LOGIN, false},
    {".gnupg", "GnuPG starts the programs that it names", false},
    {".local/bin", "a shell finds programs in it", false},
    {".selected_editor", "a shell reads it to find the editor", false},
    {".forward", MAIL, false},
    {".procmailrc", MAIL, false},
    {".mailrc", MAIL, false},
    {".muttrc", MAIL, false},
    {".vnc", SESSION, false},
    {".gnomerc", SESSION, false},
    {".hgrc", "Mercurial runs the hooks and extensions that it names", false},
    {".subversion", "Subversion runs the programs that it names", false},
    {".aws/config", CLOUD, false},
    {".kube/config", CLOUD, false},
    {".docker/config.json", CLOUD, false},
    {".docker/cli-plugins", "docker runs the programs in it", false},
    {".terraformrc", BUILD, false},
    {".terraform.d", BUILD, false},
    {".config/gh", "the tool of a git host runs the aliases in it", false},
    {".config/pip", NODE, false},
    {".pip", NODE, false},
    {".condarc", NODE, false},

    {".tmux.conf", TERMINAL, false},
    {".config/tmux", TERMINAL, false},
    {".screenrc", TERMINAL, false},
    {".lesskey", TERMINAL, false},
    {".lessfilter", TERMINAL, false},
    {".config/kitty", TERMINAL, false},
    {".config/alacritty", TERMINAL, false},
    {".wezterm.lua", TERMINAL, false},
    {".curlrc", "curl does what it says", false},
    {".wgetrc", "wget does what it says", false},
};
/* clang-format on */

const size_t heel_acting_name_count = HEEL_ARRAY_LENGTH(heel_acting_names);

const struct heel_acting_name heel_acting_set_id = {
    "", "whoever runs it has its owner's rights, whatever was put in it", false};

const struct heel_acting_name heel_acting_repository = {"", GIT, true};

/* `text` ends with `tail`, which begins a component there. */
static bool ends_with(const char *text, size_t length, const char *tail)
{
    size_t tail_length = strlen(tail);

    return length > tail_length && text[length - tail_length - 1] == '/' &&
           strncasecmp(text + length - tail_length, tail, tail_length) == 0;
}

static const struct heel_acting_name *find(const char *path, size_t length)
{
    for (size_t i = 0; i < heel_acting_name_count; i++)
        if (ends_with(path, length, heel_acting_names[i].path))
            return &heel_acting_names[i];
    return NULL;
}

const struct heel_acting_name *heel_acting_name_of(const char *path)
{
    return find(path, strlen(path));
}

const struct heel_acting_name *heel_acting_name_above(const char *path, size_t *length)
{
    const struct heel_acting_name *found;
    size_t end = 0;

    while (path[end]) {
        end += strspn(path + end, "/");
        end += strcspn(path + end, "/");
        found = find(path, end);
        if (found) {
            *length = end;
            return found;
        }
    }
    return NULL;
}
