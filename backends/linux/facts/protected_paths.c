#include "backends/linux/facts/protected_paths.h"

#include "base/cleanup.h"

/* Homes are hidden as a whole; the relative paths here matter where a grant lays a home, or part of
 * it, open. Below .config and its like they move with the XDG variables as well (host_facts.c). */
const struct heel_protected_path heel_protected_paths[] = {
    {HEEL_PROTECTED_CREDENTIALS, ".ssh", NULL, NULL, "private keys and known hosts"},
    {HEEL_PROTECTED_CREDENTIALS, ".gnupg", "GNUPGHOME", NULL, "private keys"},
    {HEEL_PROTECTED_CREDENTIALS, ".pki", NULL, NULL, "certificates and their keys"},
    {HEEL_PROTECTED_CREDENTIALS, ".password-store", "PASSWORD_STORE_DIR", NULL, "passwords"},
    {HEEL_PROTECTED_CREDENTIALS, ".netrc", "NETRC", NULL, "passwords for FTP and HTTP"},
    {HEEL_PROTECTED_CREDENTIALS, ".authinfo", NULL, NULL, "passwords for mail and HTTP"},
    {HEEL_PROTECTED_CREDENTIALS, ".authinfo.gpg", NULL, NULL, "passwords for mail and HTTP"},
    {HEEL_PROTECTED_CREDENTIALS, ".git-credentials", NULL, NULL, "passwords for git hosts"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/git/credentials", NULL, NULL, "passwords for git hosts"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/gh", "GH_CONFIG_DIR", NULL, "tokens for GitHub"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/hub", NULL, NULL, "tokens for GitHub"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/glab-cli", "GLAB_CONFIG_DIR", NULL, "tokens for GitLab"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/sops", "SOPS_AGE_KEY_FILE", NULL, "age keys"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/age", NULL, NULL, "age keys"},
    {HEEL_PROTECTED_CREDENTIALS, ".vault-token", NULL, NULL, "token for Vault"},
    {HEEL_PROTECTED_CREDENTIALS, ".pgpass", "PGPASSFILE", NULL, "passwords of databases"},
    {HEEL_PROTECTED_CREDENTIALS, ".my.cnf", NULL, NULL, "passwords of databases"},
    {HEEL_PROTECTED_CREDENTIALS, ".mylogin.cnf", "MYSQL_TEST_LOGIN_FILE", NULL,
     "passwords of databases"},
    {HEEL_PROTECTED_CREDENTIALS, ".Xauthority", "XAUTHORITY", NULL, "the key to the display"},
    {HEEL_PROTECTED_CREDENTIALS, ".ICEauthority", "ICEAUTHORITY", NULL, "the key to the session"},
    {HEEL_PROTECTED_CREDENTIALS, ".cert", NULL, NULL, "certificates and their keys"},
    {HEEL_PROTECTED_CREDENTIALS, ".claude/.credentials.json", "CLAUDE_CONFIG_DIR",
     ".credentials.json", "an agent's own tokens"},
    {HEEL_PROTECTED_CREDENTIALS, ".claude.json", "CLAUDE_CONFIG_DIR", ".claude.json",
     "an agent's own tokens"},
    {HEEL_PROTECTED_CREDENTIALS, ".codex", "CODEX_HOME", NULL, "an agent's own tokens"},
    {HEEL_PROTECTED_CREDENTIALS, ".gemini", NULL, NULL, "an agent's own tokens"},
    {HEEL_PROTECTED_CREDENTIALS, ".config/github-copilot", NULL, NULL, "an agent's own tokens"},
    {HEEL_PROTECTED_CREDENTIALS, ".cache/huggingface/token", "HF_HOME", "token",
     "token for Hugging Face"},
    {HEEL_PROTECTED_CREDENTIALS, ".huggingface/token", NULL, NULL, "token for Hugging Face"},
    {HEEL_PROTECTED_CREDENTIALS, NULL, "HF_TOKEN_PATH", NULL, "token for Hugging Face"},
    {HEEL_PROTECTED_CREDENTIALS, NULL, "PGSERVICEFILE", NULL, "passwords of databases"},

    {HEEL_PROTECTED_CLOUD, ".aws", NULL, NULL, "keys of AWS"},
    {HEEL_PROTECTED_CLOUD, ".aws/config", "AWS_CONFIG_FILE", NULL, "profiles of AWS"},
    {HEEL_PROTECTED_CLOUD, ".aws/credentials", "AWS_SHARED_CREDENTIALS_FILE", NULL, "keys of AWS"},
    {HEEL_PROTECTED_CLOUD, NULL, "AWS_WEB_IDENTITY_TOKEN_FILE", NULL, "token of AWS"},
    {HEEL_PROTECTED_CLOUD, ".azure", "AZURE_CONFIG_DIR", NULL, "tokens of Azure"},
    {HEEL_PROTECTED_CLOUD, ".config/gcloud", "CLOUDSDK_CONFIG", NULL, "tokens of Google Cloud"},
    {HEEL_PROTECTED_CLOUD, NULL, "GOOGLE_APPLICATION_CREDENTIALS", NULL, "keys of Google Cloud"},
    {HEEL_PROTECTED_CLOUD, ".boto", "BOTO_CONFIG", NULL, "keys of Google Cloud Storage"},
    {HEEL_PROTECTED_CLOUD, ".kube", "KUBECONFIG", NULL, "keys of Kubernetes clusters"},
    {HEEL_PROTECTED_CLOUD, ".docker", "DOCKER_CONFIG", NULL, "passwords of registries"},
    {HEEL_PROTECTED_CLOUD, NULL, "DOCKER_CERT_PATH", NULL, "keys of a Docker engine"},
    {HEEL_PROTECTED_CLOUD, NULL, "REGISTRY_AUTH_FILE", NULL, "passwords of registries"},
    {HEEL_PROTECTED_CLOUD, ".config/containers", NULL, NULL, "passwords of registries"},
    {HEEL_PROTECTED_CLOUD, ".config/helm", "HELM_CONFIG_HOME", NULL,
     "passwords of chart repositories"},
    {HEEL_PROTECTED_CLOUD, NULL, "HELM_REGISTRY_CONFIG", NULL, "passwords of registries"},
    {HEEL_PROTECTED_CLOUD, ".config/doctl", NULL, NULL, "tokens of DigitalOcean"},
    {HEEL_PROTECTED_CLOUD, ".config/hcloud", NULL, NULL, "tokens of Hetzner"},
    {HEEL_PROTECTED_CLOUD, ".config/rclone", "RCLONE_CONFIG", NULL, "keys of storage services"},
    {HEEL_PROTECTED_CLOUD, ".oci", "OCI_CLI_CONFIG_FILE", NULL, "keys of Oracle Cloud"},
    {HEEL_PROTECTED_CLOUD, ".aliyun", NULL, NULL, "keys of Alibaba Cloud"},
    {HEEL_PROTECTED_CLOUD, ".bluemix", NULL, NULL, "tokens of IBM Cloud"},
    {HEEL_PROTECTED_CLOUD, ".fly", NULL, NULL, "tokens of Fly"},
    {HEEL_PROTECTED_CLOUD, ".terraform.d", NULL, NULL, "tokens of Terraform"},
    {HEEL_PROTECTED_CLOUD, ".terraformrc", "TF_CLI_CONFIG_FILE", NULL, "tokens of Terraform"},
    {HEEL_PROTECTED_CLOUD, ".pulumi", "PULUMI_HOME", NULL, "tokens of Pulumi"},
    {HEEL_PROTECTED_CLOUD, ".s3cfg", NULL, NULL, "keys of S3"},

    {HEEL_PROTECTED_BROWSER, ".mozilla", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".thunderbird", NULL, NULL, "mail and its passwords"},
    {HEEL_PROTECTED_BROWSER, ".config/google-chrome", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".config/chromium", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".config/BraveSoftware", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".config/microsoft-edge", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".config/vivaldi", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".config/opera", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".cache/mozilla", NULL, NULL, "visited pages"},
    {HEEL_PROTECTED_BROWSER, ".cache/google-chrome", NULL, NULL, "visited pages"},
    {HEEL_PROTECTED_BROWSER, ".cache/chromium", NULL, NULL, "visited pages"},
    {HEEL_PROTECTED_BROWSER, "snap/firefox", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, "snap/chromium", NULL, NULL, "cookies and passwords"},
    {HEEL_PROTECTED_BROWSER, ".var/app", NULL, NULL,
     "data of Flatpak applications, browsers among them"},

    {HEEL_PROTECTED_KEYCHAIN, ".local/share/keyrings", NULL, NULL, "the desktop's passwords"},
    {HEEL_PROTECTED_KEYCHAIN, ".local/share/kwalletd", NULL, NULL, "the desktop's passwords"},
    {HEEL_PROTECTED_KEYCHAIN, ".config/keepassxc", NULL, NULL, "passwords"},
    {HEEL_PROTECTED_KEYCHAIN, ".config/1Password", NULL, NULL, "passwords"},
    {HEEL_PROTECTED_KEYCHAIN, ".config/op", NULL, NULL, "passwords"},
    {HEEL_PROTECTED_KEYCHAIN, ".config/Bitwarden", NULL, NULL, "passwords"},
    {HEEL_PROTECTED_KEYCHAIN, ".config/Bitwarden CLI", NULL, NULL, "passwords"},

    {HEEL_PROTECTED_HISTORY, ".bash_history", "HISTFILE", NULL,
     "commands, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".zsh_history", NULL, NULL, "commands, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".zhistory", NULL, NULL, "commands, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".sh_history", NULL, NULL, "commands, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".local/share/fish", NULL, NULL,
     "commands, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".local/share/atuin", NULL, NULL,
     "commands, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".python_history", "PYTHON_HISTORY", NULL,
     "statements, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".node_repl_history", "NODE_REPL_HISTORY", NULL,
     "statements, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".psql_history", "PSQL_HISTORY", NULL,
     "statements, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".mysql_history", "MYSQL_HISTFILE", NULL,
     "statements, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".sqlite_history", "SQLITE_HISTORY", NULL,
     "statements, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".rediscli_history", "REDISCLI_HISTFILE", NULL,
     "statements, and secrets typed in them"},
    {HEEL_PROTECTED_HISTORY, ".lesshst", "LESSHISTFILE", NULL, "searches"},
    {HEEL_PROTECTED_HISTORY, ".viminfo", NULL, NULL, "edited files and registers"},

    {HEEL_PROTECTED_PACKAGES, ".npmrc", "NPM_CONFIG_USERCONFIG", NULL, "tokens of npm"},
    {HEEL_PROTECTED_PACKAGES, NULL, "npm_config_userconfig", NULL, "tokens of npm"},
    {HEEL_PROTECTED_PACKAGES, ".yarnrc", NULL, NULL, "tokens of yarn"},
    {HEEL_PROTECTED_PACKAGES, ".yarnrc.yml", NULL, NULL, "tokens of yarn"},
    {HEEL_PROTECTED_PACKAGES, ".pypirc", NULL, NULL, "tokens of PyPI"},
    {HEEL_PROTECTED_PACKAGES, ".pip/pip.conf", NULL, NULL, "passwords of indexes"},
    {HEEL_PROTECTED_PACKAGES, ".config/pip", "PIP_CONFIG_FILE", NULL, "passwords of indexes"},
    {HEEL_PROTECTED_PACKAGES, ".config/pypoetry", "POETRY_CONFIG_DIR", NULL, "tokens of PyPI"},
    {HEEL_PROTECTED_PACKAGES, ".config/uv", "UV_CONFIG_FILE", NULL, "passwords of indexes"},
    {HEEL_PROTECTED_PACKAGES, ".cargo/credentials", "CARGO_HOME", "credentials",
     "tokens of crates.io"},
    {HEEL_PROTECTED_PACKAGES, ".cargo/credentials.toml", "CARGO_HOME", "credentials.toml",
     "tokens of crates.io"},
    {HEEL_PROTECTED_PACKAGES, ".gem/credentials", NULL, NULL, "tokens of RubyGems"},
    {HEEL_PROTECTED_PACKAGES, ".local/share/gem/credentials", NULL, NULL, "tokens of RubyGems"},
    {HEEL_PROTECTED_PACKAGES, ".bundle/config", "BUNDLE_USER_CONFIG", NULL,
     "passwords of gem sources"},
    {HEEL_PROTECTED_PACKAGES, ".m2/settings.xml", NULL, NULL, "passwords of Maven repositories"},
    {HEEL_PROTECTED_PACKAGES, ".m2/settings-security.xml", NULL, NULL, "Maven's master password"},
    {HEEL_PROTECTED_PACKAGES, ".gradle/gradle.properties", "GRADLE_USER_HOME", "gradle.properties",
     "passwords of repositories"},
    {HEEL_PROTECTED_PACKAGES, ".composer/auth.json", "COMPOSER_HOME", "auth.json",
     "tokens of Composer"},
    {HEEL_PROTECTED_PACKAGES, ".config/composer/auth.json", NULL, NULL, "tokens of Composer"},
    {HEEL_PROTECTED_PACKAGES, ".nuget/NuGet", NULL, NULL, "passwords of feeds"},
    {HEEL_PROTECTED_PACKAGES, ".condarc", "CONDARC", NULL, "tokens of channels"},
    {HEEL_PROTECTED_PACKAGES, ".hex", "HEX_HOME", NULL, "keys of Hex"},

    {HEEL_PROTECTED_PERSONAL, "/var/mail", NULL, NULL, "the user's mail"},
    {HEEL_PROTECTED_PERSONAL, "/var/spool", NULL, NULL,
     "mail, print jobs, crontabs, and sockets of mail servers"},
    {HEEL_PROTECTED_PERSONAL, "/var/lib/systemd/coredump", NULL, NULL,
     "memory of the user's programs"},
    {HEEL_PROTECTED_PERSONAL, "/var/crash", NULL, NULL, "memory of the user's programs"},
    {HEEL_PROTECTED_PERSONAL, "/var/log/journal", NULL, NULL, "what the user's programs logged"},
    {HEEL_PROTECTED_PERSONAL, "/var/backups", NULL, NULL, "copies of account databases"},

    {HEEL_PROTECTED_SERVICES, "/var/lib/docker", NULL, NULL, "file systems of containers"},
    {HEEL_PROTECTED_SERVICES, "/var/lib/containerd", NULL, NULL, "file systems of containers"},
    {HEEL_PROTECTED_SERVICES, "/var/lib/containers", NULL, NULL, "file systems of containers"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/kubelet", NULL, NULL, "sockets and tokens of pods"},
    {HEEL_PROTECTED_SERVICES, "/var/lib/rancher", NULL, NULL, "keys of a cluster"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/lxd", NULL, NULL, "a socket that gives root"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/incus", NULL, NULL, "a socket that gives root"},
    {HEEL_PROTECTED_ALWAYS, "/var/snap/lxd", NULL, NULL, "a socket that gives root"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/libvirt", NULL, NULL,
     "sockets and disks of virtual machines"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/sss", NULL, NULL, "sockets of the account service"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/samba", NULL, NULL, "sockets and keys of Samba"},
    {HEEL_PROTECTED_ALWAYS, "/var/lib/mysql", NULL, NULL, "a database and its socket"},
    {HEEL_PROTECTED_SERVICES, "/var/lib/cloud", NULL, NULL,
     "user data and keys of the cloud instance"},
    {HEEL_PROTECTED_SERVICES, "/etc/kubernetes", NULL, NULL, "keys of a cluster"},
    {HEEL_PROTECTED_SERVICES, "/etc/rancher", NULL, NULL, "keys of a cluster"},
    {HEEL_PROTECTED_ALWAYS, "/etc/heel", NULL, NULL, "heel's own configuration"},
};

const size_t heel_protected_path_count = HEEL_ARRAY_LENGTH(heel_protected_paths);

/* clang-format off */
static const struct {
    const char *name;
    const char *origin;
} groups[] = {
    [HEEL_PROTECTED_USER_HOME] = {"USER_HOME", "protection: user home"},
    [HEEL_PROTECTED_OTHER_HOMES] = {"OTHER_HOMES", "protection: other homes"},
    [HEEL_PROTECTED_CREDENTIALS] = {"CREDENTIALS", "protection: credentials"},
    [HEEL_PROTECTED_CLOUD] = {"CLOUD", "protection: cloud config"},
    [HEEL_PROTECTED_BROWSER] = {"BROWSER", "protection: browser data"},
    [HEEL_PROTECTED_KEYCHAIN] = {"KEYCHAIN", "protection: keychain"},
    [HEEL_PROTECTED_HISTORY] = {"HISTORY", "protection: shell history"},
    [HEEL_PROTECTED_PACKAGES] = {"PACKAGES", "protection: package-manager credentials"},
    [HEEL_PROTECTED_PERSONAL] = {"PERSONAL", "protection: user data"},
    [HEEL_PROTECTED_SERVICES] = {"SERVICES", "protection: services of the host"},
    [HEEL_PROTECTED_ACTING_FILES] = {"ACTING_FILES", "protection: acting files"},
    [HEEL_PROTECTED_ALWAYS] = {"", "protection: sockets and heel's own"},
};
/* clang-format on */

const char *heel_protected_group_origin(enum heel_protected_group group)
{
    return groups[group].origin;
}

const char *heel_protected_group_label(enum heel_protected_group group)
{
    return groups[group].name;
}

bool heel_protected_group_is_on(const struct heel_sandbox_spec *spec,
                                enum heel_protected_group group)
{
    for (size_t i = 0; i < spec->switch_count; i++)
        if (!spec->switches[i].path && spec->switches[i].group == group)
            return spec->switches[i].on;
    return spec->level != HEEL_LEVEL_PERMISSIVE;
}
