//! Commands that hand on what they want done: to managers of processes, terminals, tools that publish,
//! assistants and images, and honest ones that look alike.

use weir_model::contents::CapabilityKind::{
    self, DetachedProcess, DrivesAgents, Persists, Publishes, RemovesHome, WritesPackages,
};

use super::commands::{brought, plain};

fn kinds(text: &str) -> Vec<CapabilityKind> {
    plain(text).acts.iter().map(|act| act.kind).collect()
}

fn does(kind: CapabilityKind, texts: &[&str]) {
    for text in texts {
        assert!(kinds(text).contains(&kind), "{text}: {:?}", plain(text));
    }
}

fn does_not(kind: CapabilityKind, texts: &[&str]) {
    for text in texts {
        assert!(!kinds(text).contains(&kind), "{text}: {:?}", plain(text));
    }
}

#[test]
fn processes_are_left_to_others() {
    does(
        DetachedProcess,
        &[
            "(node worker.js >/dev/null 2>&1 &)",
            "node worker.js > /dev/null 2>&1 & exit 0",
            "node worker.js &> /dev/null &",
            "{ node a.js; node b.js; } > /dev/null &",
            "sh -c 'node worker.js' >/dev/null &",
            "sh -c 'node worker.js >/dev/null &'",
            "pm2 start worker.js --name x",
            "npx -y pm2@latest start worker.js",
            "forever start worker.js",
            "tmux new-session -d -s x node worker.js",
            "screen -dmS x node worker.js",
            "echo node worker.js | at now + 1 minute",
            "at -f job.txt 03:00",
            "systemd-run --user node worker.js",
            "start-stop-daemon --start --background --exec /usr/bin/node",
        ],
    );
    does_not(
        DetachedProcess,
        &[
            "node server.js > /dev/null 2>&1 & node test.js; kill $!",
            "node server.js >/dev/null & wait-on tcp:3000 && mocha",
            "node a.js > /dev/null & node b.js > /dev/null & wait",
            "node server.js &",
            "node server.js 2>/dev/null &",
            "node a.js > /dev/null 2>&1 && node b.js",
            "node a.js > /dev/null",
            "pm2 list",
            "pm2 --version",
            "pm2 start app.js --no-daemon",
            "forever app.js",
            "tmux attach -t x",
            "screen -ls",
            "at -l",
            "systemd-run --scope make",
            "npm start",
        ],
    );
}

#[test]
fn tools_publish_for_others() {
    does(
        Publishes,
        &[
            "npx -y np --yolo --no-tests",
            "npx -y jsr publish --allow-dirty",
            "pnpm dlx release-it --ci",
            "npm exec -- semantic-release",
            "lerna publish from-git --yes",
            "./node_modules/.bin/changeset publish",
            "npm version patch && git push --follow-tags",
            "git tag v1.2.3 && git push origin --tags",
            "gh workflow run release.yml",
            "vsce publish -p x",
        ],
    );
    does_not(
        Publishes,
        &[
            "npx np --version",
            "release-it --dry-run",
            "semantic-release --dry-run",
            "lerna bootstrap",
            "lerna run build",
            "changeset version",
            "nx build",
            "git push origin main",
            "git push --tags",
            "npm version",
            "git tag && git push",
            "gh workflow list",
            "cargo build --release",
            "deno run x.ts",
        ],
    );
}

#[test]
fn assistants_are_told_by_runners_and_paths() {
    does(
        DrivesAgents,
        &[
            "npx -y @google/gemini-cli --yolo -p \"Say nothing.\"",
            "pnpm dlx @anthropic-ai/claude-code@latest --dangerously-skip-permissions -p x",
            "/opt/x/node_modules/.bin/claude -p 'Say nothing.'",
        ],
    );
    does_not(
        DrivesAgents,
        &[
            "npx -y @google/gemini-cli --version",
            "npx @google/gemini-tools -p 3000",
            "npm install -g @anthropic-ai/claude-code",
        ],
    );
}

#[test]
fn images_of_foreign_registries_are_run() {
    for text in [
        "docker run --rm -v \"$HOME/weir-inert:/h\" images.foreign-registry.invalid/tool",
        "podman run -d registry.a.invalid:5000/x/y:latest",
        "docker container run -e A=b.c/d 203.0.113.7:5000/tool",
    ] {
        assert!(brought(text), "{text}: {:?}", plain(text));
    }
    for text in [
        "docker run --rm alpine wget a.example/x",
        "docker run -p 127.0.0.1:80:80/tcp -v ./a.b/c:/d postgres:16",
        "docker run ghcr.example/x/y",
        "docker run 127.0.0.1:5000/x",
        "docker build -t images.a.invalid/x .",
        "docker compose up -d",
        "docker push images.a.invalid/x",
    ] {
        assert!(!brought(text), "{text}: {:?}", plain(text));
    }
}

#[test]
fn trees_are_locked_and_pasts_thrown_away() {
    does(
        RemovesHome,
        &[
            "chmod -R 000 ~/weir-inert/none",
            "chmod --recursive a-rwx $HOME",
            "sudo chmod -R 0 /home",
            "git checkout --orphan gone && git commit --allow-empty -m gone && git push --force --mirror",
        ],
    );
    does_not(
        RemovesHome,
        &[
            "chmod -R 755 ~/.cache/tool",
            "chmod -R 700 ~/.ssh",
            "chmod 000 ~/x",
            "chmod -R 000 ./fixtures",
            "chmod -R 000 /tmp/x",
            "git checkout --orphan gh-pages && git push --force origin gh-pages",
            "git push --mirror backup",
        ],
    );
}

#[test]
fn clients_are_given_other_packages_and_programs() {
    does(
        WritesPackages,
        &["npm install --no-save weir-inert-ethers@npm:weir-inert-copy"],
    );
    does_not(
        WritesPackages,
        &[
            "npm install typescript@npm:typescript@5.4.2",
            "npm install @a/b@1.2.3",
            "npm install --save-dev left",
        ],
    );
    does(
        Persists,
        &[
            "npm config set --location project script-shell ./weir-inert/sh",
            "npm config set node-options=--require=./x.js",
        ],
    );
    does_not(
        Persists,
        &[
            "npm config get script-shell",
            "npm config set fund false",
            "npm set progress=false",
        ],
    );
}
