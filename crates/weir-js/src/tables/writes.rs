//! Files that are run, read or trusted by something other than the package that writes them.

use super::credentials::stands_in;

/// What a file is to whoever else reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Trusted {
    /// A shell runs it when it starts.
    ShellStartup,
    /// The system starts it: services, launch agents, scheduled jobs.
    Service,
    /// Git runs it.
    GitHook,
    /// A CI service runs it.
    Workflow,
    /// A coding agent follows it.
    Agent,
    /// An editor runs or follows it.
    Editor,
    /// An application on the machine is made of it.
    Application,
    /// It decides whom the machine trusts: keys, hosts, registries.
    Trust,
    /// An interpreter or a package client runs it whenever it starts.
    Runtime,
    /// A shell finds it by the name of a program that is there already.
    Command,
    /// A package client installs what it has kept there.
    Packages,
    /// A package client installs what it names.
    Lockfile,
}

impl Trusted {
    /// In words, with an article.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::ShellStartup => "a shell start-up file",
            Self::Service => "a service or scheduled job",
            Self::GitHook => "a git hook",
            Self::Workflow => "a CI workflow",
            Self::Agent => "an agent's configuration",
            Self::Editor => "an editor's configuration",
            Self::Application => "an application's own code",
            Self::Trust => "a file of keys or registries",
            Self::Runtime => "what a language or client runs by itself",
            Self::Command => "a program under the name of another",
            Self::Packages => "what a package client has kept",
            Self::Lockfile => LOCKFILE,
        }
    }
}

/// How a lockfile is told of.
const LOCKFILE: &str = "a lockfile";

/// The folder of the running desktop application's code, in folded paths.
pub(crate) const RESOURCES: &str = "$resources";

/// A part of a path, what it is, and why.
pub(crate) struct Row {
    /// Lower case, `/`-separated; whole components, anything below where it ends in `/`.
    pub(crate) part: &'static str,
    /// What it is.
    pub(crate) trusted: Trusted,
    /// Why.
    #[cfg_attr(not(test), expect(dead_code, reason = "reviewed, not read"))]
    pub(crate) reason: &'static str,
}

const fn row(part: &'static str, trusted: Trusted, reason: &'static str) -> Row {
    Row {
        part,
        trusted,
        reason,
    }
}

use Trusted::{
    Agent, Application, Command, Editor, GitHook, Lockfile, Packages, Runtime, Service,
    ShellStartup, Trust, Workflow,
};

/// The table.
pub(crate) const WRITES: &[Row] = &[
    row(".bashrc", ShellStartup, "every interactive bash"),
    row(".bash_profile", ShellStartup, "every login bash"),
    row(".bash_login", ShellStartup, "every login bash"),
    row(".bash_aliases", ShellStartup, "read by .bashrc"),
    row(".profile", ShellStartup, "every login shell"),
    row(".zshrc", ShellStartup, "every interactive zsh"),
    row(".zshenv", ShellStartup, "every zsh"),
    row(".zprofile", ShellStartup, "every login zsh"),
    row("config.fish", ShellStartup, "every fish"),
    row(".envrc", ShellStartup, "run by direnv in its folder"),
    row(".zlogin", ShellStartup, "every login zsh"),
    row(".xprofile", ShellStartup, "every session of a desktop"),
    row(".xsessionrc", ShellStartup, "every session of a desktop"),
    row(".ssh/rc", ShellStartup, "every login by ssh"),
    row(".config/fish/conf.d/", ShellStartup, "every fish"),
    row(
        ".config/environment.d/",
        ShellStartup,
        "variables of every session",
    ),
    row(
        ".config/powershell/profile.ps1",
        ShellStartup,
        "every PowerShell",
    ),
    row("powershell/profile.ps1", ShellStartup, "every PowerShell"),
    row(".nvm/nvm.sh", ShellStartup, "read by shell start-up files"),
    row(
        ".oh-my-zsh/custom/",
        ShellStartup,
        "read by shell start-up files",
    ),
    row(
        "etc/profile",
        ShellStartup,
        "every login shell of everybody",
    ),
    row(
        "etc/profile.d/",
        ShellStartup,
        "every login shell of everybody",
    ),
    row("etc/bash.bashrc", ShellStartup, "every bash of everybody"),
    row("etc/ld.so.preload", Service, "loaded into every program"),
    row(
        "microsoft.powershell_profile.ps1",
        ShellStartup,
        "every PowerShell",
    ),
    row(".config/systemd/user/", Service, "user services"),
    row("etc/systemd/system/", Service, "services"),
    row("lib/systemd/system/", Service, "services"),
    row(
        "library/launchagents/",
        Service,
        "started at login on macOS",
    ),
    row(
        "library/launchdaemons/",
        Service,
        "started at boot on macOS",
    ),
    row(
        ".config/autostart/",
        Service,
        "started at login on desktops",
    ),
    row(
        "start menu/programs/startup/",
        Service,
        "started at login on Windows",
    ),
    row("etc/cron.d/", Service, "scheduled jobs"),
    row("etc/cron.daily/", Service, "scheduled jobs"),
    row("etc/crontab", Service, "scheduled jobs"),
    row("var/spool/cron/", Service, "scheduled jobs"),
    row("etc/init.d/", Service, "started at boot"),
    row("etc/rc.local", Service, "started at boot"),
    row(".git/hooks/", GitHook, "run by git commands"),
    row(".husky/", GitHook, "run by git commands"),
    row(
        ".github/workflows/",
        Workflow,
        "run with the repository's secrets",
    ),
    row(
        ".gitlab-ci.yml",
        Workflow,
        "run with the repository's secrets",
    ),
    row(
        ".circleci/config.yml",
        Workflow,
        "run with the repository's secrets",
    ),
    row(".travis.yml", Workflow, "run with the repository's secrets"),
    row(
        ".github/actions/",
        Workflow,
        "run by the workflows of the repository",
    ),
    row(
        "bitbucket-pipelines.yml",
        Workflow,
        "run with the repository's secrets",
    ),
    row("jenkinsfile", Workflow, "run with the repository's secrets"),
    row(".buildkite/", Workflow, "run with the repository's secrets"),
    row(".drone.yml", Workflow, "run with the repository's secrets"),
    row(
        "azure-pipelines.yml",
        Workflow,
        "run with the repository's secrets",
    ),
    row(".claude/", Agent, "hooks and permissions of an agent"),
    row(".claude.json", Agent, "tool servers of an agent"),
    row("claude.md", Agent, "instructions an agent follows"),
    row("agents.md", Agent, "instructions agents follow"),
    row("gemini.md", Agent, "instructions an agent follows"),
    row(
        "claude_desktop_config.json",
        Agent,
        "tool servers of an agent",
    ),
    row(".cursorrules", Agent, "instructions an agent follows"),
    row(".cursor/", Agent, "rules and tool servers of an agent"),
    row(".codex/", Agent, "configuration of an agent"),
    row(".gemini/", Agent, "configuration of an agent"),
    row(".continue/", Agent, "configuration of an agent"),
    row(".windsurf/", Agent, "configuration of an agent"),
    row(".windsurfrules", Agent, "instructions an agent follows"),
    row(".codeium/", Agent, "configuration of an agent"),
    row(".kiro/", Agent, "configuration of an agent"),
    row(".roo/", Agent, "configuration of an agent"),
    row(".mcp.json", Agent, "tool servers of agents"),
    row(".vscode/mcp.json", Agent, "tool servers of agents"),
    row(".clinerules", Agent, "instructions an agent follows"),
    row(".config/opencode/", Agent, "configuration of an agent"),
    row(".opencode/", Agent, "configuration of an agent"),
    row("amazonq/mcp.json", Agent, "tool servers of an agent"),
    row(".amazonq/", Agent, "configuration of an agent"),
    row(".qwen/settings.json", Agent, "configuration of an agent"),
    row(
        ".config/goose/config.yaml",
        Agent,
        "configuration of an agent",
    ),
    row(".openclaw/skills/", Agent, "skills of an agent"),
    row(".openclaw/workspace/", Agent, "instructions of an agent"),
    row(
        ".openclaw/openclaw.json",
        Agent,
        "configuration of an agent",
    ),
    row(
        ".copilot/mcp-config.json",
        Agent,
        "tool servers of an agent",
    ),
    row(".junie/", Agent, "instructions an agent follows"),
    row(".trae/", Agent, "configuration of an agent"),
    row(".agents/skills/", Agent, "skills of agents"),
    row(".augment/", Agent, "instructions an agent follows"),
    row(
        "copilot-instructions.md",
        Agent,
        "instructions an agent follows",
    ),
    row(
        ".vscode/tasks.json",
        Editor,
        "tasks may run when the folder is opened",
    ),
    row(
        ".vscode/settings.json",
        Editor,
        "chooses the programs an editor runs",
    ),
    row(".vscode/extensions/", Editor, "code the editor loads"),
    row(
        ".devcontainer/devcontainer.json",
        Editor,
        "commands are run when the folder is opened",
    ),
    row(
        ".devcontainer.json",
        Editor,
        "commands are run when the folder is opened",
    ),
    row(
        ".config/zed/settings.json",
        Editor,
        "chooses the programs an editor and its agent run",
    ),
    row(
        ".zed/settings.json",
        Editor,
        "chooses the programs an editor and its agent run",
    ),
    row(".zed/tasks.json", Editor, "what an editor runs"),
    row(
        ".config/cursor/user/",
        Editor,
        "chooses the programs an editor runs",
    ),
    row(
        "cursor/user/settings.json",
        Editor,
        "chooses the programs an editor runs",
    ),
    row(
        ".config/code/user/",
        Editor,
        "chooses the programs an editor runs",
    ),
    row(
        "code/user/settings.json",
        Editor,
        "chooses the programs an editor runs",
    ),
    row(
        "$resources/",
        Application,
        "where Electron keeps the code of the application that runs",
    ),
    row(".vimrc", Editor, "code the editor runs"),
    row(".config/nvim/", Editor, "code the editor runs"),
    row(".emacs.d/", Editor, "code the editor runs"),
    row(".ssh/authorized_keys", Trust, "lets its key's owner log in"),
    row(".ssh/config", Trust, "may run commands and reroute"),
    row(".npmrc", Trust, "decides from where packages come"),
    row(".yarnrc.yml", Trust, "decides from where packages come"),
    row(".gitconfig", Trust, "may run commands"),
    row(".config/git/config", Trust, "may run commands"),
    row(".yarnrc", Trust, "decides from where packages come"),
    row("bunfig.toml", Trust, "decides from where packages come"),
    row(".bunfig.toml", Trust, "decides from where packages come"),
    row(
        ".config/pip/pip.conf",
        Trust,
        "decides from where packages of Python come",
    ),
    row(
        ".pip/pip.conf",
        Trust,
        "decides from where packages of Python come",
    ),
    row(
        ".cargo/config.toml",
        Trust,
        "names compilers and registries of Rust",
    ),
    row("~/.curlrc", Trust, "options of every curl"),
    row("~/.wgetrc", Trust, "options of every wget"),
    row("etc/hosts", Trust, "reroutes names"),
    row("etc/sudoers", Trust, "gives away the machine"),
    row("etc/sudoers.d/", Trust, "gives away the machine"),
    row("sitecustomize.py", Runtime, "every Python"),
    row("usercustomize.py", Runtime, "every Python of the user"),
    row(".pnpmfile.cjs", Runtime, "every install by pnpm"),
    row(".irbrc", Runtime, "every interactive Ruby"),
    row(".rprofile", Runtime, "every R"),
    row(
        "_cacache/",
        Packages,
        "installed by npm without being fetched again",
    ),
    row(".pnpm-store/", Packages, "linked into projects by pnpm"),
    row(
        ".bun/install/cache/",
        Packages,
        "linked into projects by Bun",
    ),
    // The names are below.
    row(
        "~/.local/bin/",
        Command,
        "looked through before the folders of the system",
    ),
    row("package-lock.json", Lockfile, "npm"),
    row("npm-shrinkwrap.json", Lockfile, "npm"),
    row("yarn.lock", Lockfile, "Yarn"),
    row("pnpm-lock.yaml", Lockfile, "pnpm"),
    row("bun.lock", Lockfile, "Bun"),
];

/// The row that a written path falls under.
pub(crate) fn find(path: &str) -> Option<&'static Row> {
    if path.len() > 1024 {
        return None;
    }
    let path = path.replace('\\', "/").to_lowercase();
    if is_python_path_file(&path) {
        return WRITES.iter().find(|row| row.part == "sitecustomize.py");
    }
    if is_installed_application(&path) {
        return WRITES.iter().find(|row| row.trusted == Application);
    }
    let row = WRITES.iter().find(|row| {
        row.trusted != Command && stands_in(&path, row.part)
            || row.trusted == Command && takes_name(&path)
    })?;
    // Without a folder it is the one of whoever runs it, at install time the package's own.
    let is_own = row.trusted == Lockfile && !path.trim_start_matches("./").contains('/');
    (!is_own).then_some(row)
}

/// Programs that people call by their names and that systems keep elsewhere.
const CALLED: &[&str] = &[
    "git", "ssh", "scp", "sudo", "su", "npm", "npx", "node", "curl", "wget", "ls", "cat", "bash",
    "sh", "zsh", "docker", "kubectl", "aws", "gh", "gpg", "pass",
];

/// Whether a path is where a user's own programs are found first, under the name of one of those.
fn takes_name(path: &str) -> bool {
    let name = path
        .strip_prefix("~/.local/bin/")
        .or_else(|| path.strip_prefix("~/bin/"));
    let name = name.map(|name| {
        let stem = name.strip_suffix(".exe");
        stem.or_else(|| name.strip_suffix(".cmd")).unwrap_or(name)
    });
    name.is_some_and(|name| CALLED.contains(&name))
}

/// The code of an application where systems install them. Elsewhere it is what packagers make.
fn is_installed_application(path: &str) -> bool {
    let is_installed = [
        "~/appdata/local/",
        "/applications/",
        "~/applications/",
        "/opt/",
        "/usr/",
    ]
    .iter()
    .any(|folder| path.starts_with(folder))
        || path.contains("/program files");
    is_installed && path.ends_with("/resources/app.asar")
}

/// Python runs the lines of such files that begin with `import`.
fn is_python_path_file(path: &str) -> bool {
    path.ends_with(".pth")
        && (stands_in(path, "site-packages/") || stands_in(path, "dist-packages/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_files_are_known_and_their_neighbours_are_not() {
        for (path, trusted) in [
            ("~/.bashrc", ShellStartup),
            ("~/AppData/Local/x/app/resources/app.asar", Application),
            (
                "/Applications/X.app/Contents/Resources/app.asar",
                Application,
            ),
            ("~/.config/systemd/user/x.service", Service),
            ("~/Library/LaunchAgents/x.plist", Service),
            (".git/hooks/pre-commit", GitHook),
            ("./.github/workflows/x.yml", Workflow),
            ("~/.claude/settings.json", Agent),
            (".vscode/tasks.json", Editor),
            (
                "~\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\x.bat",
                Service,
            ),
            ("/etc/hosts", Trust),
            ("/srv/x/.envrc", ShellStartup),
            ("/usr/lib/python3/site-packages/x.pth", Runtime),
            (
                "~/.local/lib/python3.12/site-packages/usercustomize.py",
                Runtime,
            ),
            ("~/.npm/_cacache/index-v5/x", Packages),
            ("/srv/x/package-lock.json", Lockfile),
            (".vscode/mcp.json", Agent),
            ("~/.openclaw/skills/x/SKILL.md", Agent),
            (".clinerules", Agent),
            (".clinerules/a.md", Agent),
            ("~/.aws/amazonq/mcp.json", Agent),
            (".devcontainer/devcontainer.json", Editor),
            ("~/.config/zed/settings.json", Editor),
            (".husky/pre-commit", GitHook),
            (".github/actions/x/action.yml", Workflow),
            ("Jenkinsfile", Workflow),
            ("~/.yarnrc", Trust),
            ("~/.curlrc", Trust),
            ("~/.config/fish/conf.d/x.fish", ShellStartup),
            ("~/.local/bin/git", Command),
            ("~/bin/npm.cmd", Command),
        ] {
            assert_eq!(find(path).map(|row| row.trusted), Some(trusted), "{path}");
        }
        for path in [
            "dist/index.js",
            "~/.bashrc.bak",
            ".vscode/launch.json",
            "src/hosts",
            "profile",
            "model.pth",
            "~/.envrc.example",
            "package-lock.json",
            "./yarn.lock",
            "site-packages/x/y.py",
            "~/.local/bin/mytool",
            "bin/git",
            "dist/.local/bin/git",
            "~/.config/zed/themes/x.json",
            ".vscode/snippets.json",
            "~/.openclaw/logs/x",
            "curlrc",
            ".github/dependabot.yml",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
