/* The table of verbs. */
#include <string.h>

#include "clients/c/cli/flags.h"

#define ANY (-1)

const struct cli_verb cli_verbs[] = {
    {
        .name = "run",
        .arguments = "COMMAND [ARGUMENT...]",
        .summary = "run a command in a sandbox of its own",
        .help =
            "Makes a sandbox, runs the command in it with this program's standard input, "
            "output and error, and "
            "removes the sandbox. Without a server it does all of that itself.\n"
            "Exits as the command did: with its code, 128 + n where signal n ended it, 124 "
            "after a timeout, 137 when its sandbox ran out of memory or of another limit (153: of "
            "the size of a file), 126 where it can't be executed, 127 where it wasn't found, 125 "
            "where heel failed. "
            "SIGINT and SIGTERM "
            "are passed on; the third within two seconds kills. With --terminal they end heelcli "
            "and the command, and keys such as ctrl-c go to the command.",
        .example = "heelcli run --level strict -- python3 -c 'print(6 * 7)'",
        .flags = {cli_terminal_flags, cli_profile_flags, cli_spec_flags, cli_limit_flags,
                  cli_command_flags, cli_private_flags, cli_session_flags},
        .least_arguments = 1,
        .most_arguments = ANY,
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_run,
    },
    {
        .name = "create",
        .arguments = "",
        .summary = "make a sandbox that lasts",
        .help = "Makes a sandbox and prints its id. It lasts until it is deleted, its time to live "
                "ends, or its "
                "server ends. --timeout holds for each of its commands.",
        .example = "heelcli create --working-dir . --ttl 1h",
        .flags = {cli_profile_flags, cli_spec_flags, cli_limit_flags, cli_command_flags,
                  cli_create_flags, cli_server_flags, cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_create,
    },
    {
        .name = "exec",
        .arguments = "SANDBOX [--] COMMAND [ARGUMENT...]",
        .summary = "run a command in a sandbox that exists",
        .help = "Runs the command with this program's standard input, output and error, and exits "
                "as run does.",
        .example = "heelcli exec build-7 make test",
        .flags = {cli_terminal_flags, cli_exec_flags, cli_server_flags, cli_session_flags},
        .least_arguments = 2,
        .most_arguments = ANY,
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_exec,
    },
    {
        .name = "shell",
        .arguments = "[SANDBOX]",
        .summary = "work in a sandbox by hand",
        .help = "Gives you bash, or sh where there is none, in this terminal: in the sandbox, or "
                "in a new one of the flags, which is removed when the shell ends. Exits as run "
                "does.",
        .example = "heelcli shell --level default --working-dir .",
        .flags = {cli_profile_flags, cli_spec_flags, cli_limit_flags, cli_command_flags,
                  cli_server_flags, cli_denial_flags},
        .most_arguments = 1,
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_shell,
    },
    {
        .name = "list",
        .arguments = "",
        .summary = "list your sandboxes",
        .help = "Lists your sandboxes in the order of their creation.",
        .example = "heelcli list --label job=42",
        .flags = {cli_list_flags, cli_server_flags, cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_list,
    },
    {
        .name = "get",
        .arguments = "SANDBOX",
        .summary = "show a sandbox and how it is confined",
        .help = "Shows a sandbox, its spec with every default spelled out, and how well each "
                "protection holds.",
        .example = "heelcli get --output json build-7",
        .flags = {cli_server_flags, cli_output_flags},
        .least_arguments = 1,
        .most_arguments = 1,
        .failure = CLI_EXIT_FAILED,
        .run = cli_get,
    },
    {
        .name = "delete",
        .arguments = "SANDBOX...",
        .summary = "end sandboxes",
        .help = "Kills what runs in the sandboxes and removes them; returns when nothing of them "
                "is left.",
        .example = "heelcli delete build-7",
        .flags = {cli_delete_flags, cli_server_flags, cli_output_flags},
        .least_arguments = 1,
        .most_arguments = ANY,
        .failure = CLI_EXIT_FAILED,
        .run = cli_delete,
    },
    {
        .name = "pause",
        .arguments = "SANDBOX",
        .summary = "stop every process of a sandbox",
        .help = "Stops every process of the sandbox and returns when all stand still; nothing can "
                "be started in it until it is resumed. Time limits go on.",
        .example = "heelcli pause build-7",
        .flags = {cli_server_flags, cli_output_flags},
        .least_arguments = 1,
        .most_arguments = 1,
        .failure = CLI_EXIT_FAILED,
        .run = cli_pause,
    },
    {
        .name = "resume",
        .arguments = "SANDBOX",
        .summary = "let a paused sandbox go on",
        .help = "Lets the processes of a paused sandbox go on.",
        .example = "heelcli resume build-7",
        .flags = {cli_server_flags, cli_output_flags},
        .least_arguments = 1,
        .most_arguments = 1,
        .failure = CLI_EXIT_FAILED,
        .run = cli_resume,
    },
    {
        .name = "start",
        .arguments = "SANDBOX [--] COMMAND [ARGUMENT...]",
        .summary = "start a process in the background",
        .help = "Starts the command in the sandbox, prints its id and leaves it running. The last "
                "of its output is kept: logs prints it, attach connects to it.",
        .example = "heelcli start build-7 python3 -m http.server",
        .flags = {cli_background_flags, cli_exec_flags, cli_server_flags, cli_output_flags},
        .least_arguments = 2,
        .most_arguments = ANY,
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_start,
    },
    {
        .name = "ps",
        .arguments = "SANDBOX",
        .summary = "list the processes of a sandbox",
        .help = "Lists the commands that run in the sandbox, in the order of their start; what "
                "they started themselves is not among them.",
        .example = "heelcli ps --all build-7",
        .flags = {cli_ps_flags, cli_server_flags, cli_output_flags},
        .least_arguments = 1,
        .most_arguments = 1,
        .failure = CLI_EXIT_FAILED,
        .run = cli_ps,
    },
    {
        .name = "logs",
        .arguments = "SANDBOX PROCESS",
        .summary = "print what a process has written",
        .help = "Prints what is kept of the process's standard output and standard error, on this "
                "program's own, and says what is kept no more. Offsets count the bytes of each "
                "from 0.",
        .example = "heelcli logs --follow build-7 server",
        .flags = {cli_logs_flags, cli_server_flags, cli_output_flags},
        .least_arguments = 2,
        .most_arguments = 2,
        .failure = CLI_EXIT_FAILED,
        .run = cli_logs,
    },
    {
        .name = "attach",
        .arguments = "SANDBOX PROCESS",
        .summary = "connect to a process",
        .help = "Connects this program's standard input, output and error to the process: with "
                "what it writes from now on, or from the offsets given. Exits as run does when "
                "the process ends; a process with a terminal is left alone by the detach keys.",
        .example = "heelcli attach build-7 server",
        .flags = {cli_attach_flags, cli_server_flags, cli_session_flags},
        .least_arguments = 2,
        .most_arguments = 2,
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_attach,
    },
    {
        .name = "kill",
        .arguments = "SANDBOX PROCESS",
        .summary = "send a signal to a process",
        .help = "Sends the process a signal. One to a process that is over does nothing.",
        .example = "heelcli kill --signal INT --scope tree build-7 server",
        .flags = {cli_kill_flags, cli_server_flags, cli_output_flags},
        .least_arguments = 2,
        .most_arguments = 2,
        .failure = CLI_EXIT_FAILED,
        .run = cli_kill,
    },
    {
        .name = "wait",
        .arguments = "SANDBOX PROCESS",
        .summary = "wait for the end of a process",
        .help = "Returns when the process is over, and exits as it did, with the codes of run.",
        .example = "heelcli wait build-7 server",
        .flags = {cli_server_flags, cli_output_flags},
        .least_arguments = 2,
        .most_arguments = 2,
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_wait,
    },
    {
        .name = "events",
        .arguments = "",
        .summary = "tell what happens to your sandboxes",
        .help = "Prints a line for each event of your sandboxes that the server still keeps; with "
                "--follow what happens from now on, until it is interrupted. Each has a number: "
                "--after goes on behind the one that was seen last.",
        .example = "heelcli events --follow --kind process-exited",
        .flags = {cli_events_flags, cli_server_flags, cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_events,
    },
    {
        .name = "policy",
        .arguments = "",
        .summary = "tell how a sandbox would be confined, and what it could reach",
        .help = "Prints what would confine a sandbox of these flags, or tells what an access in it "
                "would get and why. Makes no sandbox. With --test it exits with 0 where all of "
                "them are allowed, else with 1.",
        .example = "heelcli policy --level default --test ~/.ssh/config",
        .flags = {cli_profile_flags, cli_spec_flags, cli_limit_flags, cli_command_flags,
                  cli_policy_flags, cli_private_flags, cli_output_flags},
        .failure = CLI_EXIT_OWN_ERROR,
        .run = cli_policy,
    },
    {
        .name = "info",
        .arguments = "",
        .summary = "show the server and what it can enforce here",
        .help = "Shows the version of the server, the kernel, each protection that this host can "
                "give, and limits. "
                "Where no server runs it shows what one would say.",
        .example = "heelcli info",
        .flags = {cli_private_flags, cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_info,
    },
    {
        .name = "doctor",
        .arguments = "",
        .summary = "check what this host has and lacks, and how to mend it",
        .help = "Checks each requirement and protection on this host, without any server. Exits "
                "with 0 where sandboxes "
                "can be made, else with 1.",
        .example = "heelcli doctor",
        .flags = {cli_start_flags, cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_doctor,
    },
    {
        .name = "version",
        .arguments = "",
        .summary = "print the version",
        .help = "Prints the version of heelcli.",
        .example = "heelcli version",
        .flags = {cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_version,
    },
    {
        .name = "config",
        .arguments = "",
        .summary = "show the configuration file's profiles",
        .help = "Shows which configuration file is in force and why, and each setting of its "
                "profiles with the line that it stands in. The file is config.yaml in "
                "$XDG_CONFIG_HOME/heel, or in ~/.config/heel: under \"profiles\" a name, and under "
                "that a SandboxSpec in the contract's JSON mapping, written in YAML.",
        .example = "heelcli config --config heel.yaml",
        .flags = {cli_config_flags, cli_output_flags},
        .failure = CLI_EXIT_FAILED,
        .run = cli_config,
    },
    {
        .name = "completion",
        .arguments = "bash|zsh|fish",
        .summary = "print what completes command lines in your shell",
        .help = "Prints a script that makes the shell complete heelcli's verbs and flags; source "
                "it where the shell starts.",
        .example = "source <(heelcli completion bash)",
        .least_arguments = 1,
        .most_arguments = 1,
        .failure = CLI_EXIT_FAILED,
        .run = cli_complete,
    },
    {
        .name = "help",
        .arguments = "[VERB]",
        .summary = "explain heelcli or a verb",
        .help = "Explains a verb and its flags, or lists all verbs. With --man it prints the "
                "manual page.",
        .example = "heelcli help --man | man -l -",
        .flags = {cli_help_flags},
        .most_arguments = 1,
        .failure = CLI_EXIT_FAILED,
        .run = cli_help,
    },
    {0},
};

const struct cli_verb *cli_verb_find(const char *name)
{
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}
