//! The action's steps, run in a shell as a runner runs them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use weir_npm::settings::{Said, Settings};

use super::{root, text, yaml};
use crate::support::World;

/// The action, run as a runner does: step after step, with what the steps before said.
pub(super) struct Action {
    settings: Settings,
    inputs: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, String>,
    temp: PathBuf,
    source: PathBuf,
    cached: bool,
}

impl Action {
    pub(super) fn new(world: &World, inputs: &[(&str, &str)], cached: bool) -> Action {
        let settings = yaml("action.yml");
        let names = settings
            .under(&["inputs"])
            .filter(|it| it.key.len() == 3 && it.key[2] == "default");
        let mut all: BTreeMap<String, String> = names
            .map(|setting| {
                let default = setting.text().unwrap_or_default();
                // Of a pull request; a push has none.
                let default = if default.starts_with("${{ github.event") {
                    ""
                } else {
                    default
                };
                let default = match &setting.value {
                    Said::Flag(flag) => flag.to_string(),
                    _ => default.to_owned(),
                };
                (setting.key[1].clone(), default)
            })
            .collect();
        for (name, value) in inputs {
            let known = all.insert((*name).to_owned(), (*value).to_owned());
            assert!(known.is_some(), "the action has no input {name}");
        }
        let temp = world.path("temp");
        std::fs::create_dir_all(&temp).unwrap();
        Action {
            settings,
            inputs: all,
            outputs: BTreeMap::new(),
            temp,
            source: root(),
            cached,
        }
    }

    /// Replaces expressions; one that is not known here fails the test.
    fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").unwrap();
            out.push_str(before);
            let expression = expression.trim();
            let value = match expression {
                "runner.temp" => self.temp.display().to_string(),
                "runner.os" => "Linux".to_owned(),
                "runner.arch" => "X64".to_owned(),
                "github.action_path" => self.source.display().to_string(),
                _ => match expression.strip_prefix("inputs.") {
                    Some(name) => self.inputs[name].clone(),
                    None => self.outputs.get(expression).cloned().unwrap_or_default(),
                },
            };
            let known = expression.starts_with("inputs.")
                || expression.starts_with("steps.")
                || !value.is_empty();
            assert!(known, "the expression {expression} is not known");
            out.push_str(&value);
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// Runs all steps; what the last one that ran said, and which ones ran.
    pub(super) fn run(&mut self, world: &World) -> (Output, Vec<String>) {
        let mut ran = Vec::new();
        for number in 0.. {
            let number = number.to_string();
            let step = |key: &str| {
                text(&self.settings, &["runs", "steps", &number, key]).map(str::to_owned)
            };
            let Some(name) = step("name") else { break };
            match step("if").as_deref() {
                None => {}
                Some("steps.cache.outputs.cache-hit != 'true'") => {
                    if self.cached {
                        continue;
                    }
                }
                Some(other) => panic!("the condition {other} is not known"),
            }
            let Some(script) = step("run") else {
                assert!(step("uses").is_some(), "{name} does nothing");
                continue;
            };
            assert_eq!(step("shell").as_deref(), Some("bash"), "{name}");
            let output = self.step(world, &number, &script);
            ran.push(name.clone());
            let said = std::fs::read_to_string(self.temp.join("output")).unwrap();
            if let Some(id) = step("id") {
                for (key, value) in said.lines().filter_map(|line| line.split_once('=')) {
                    self.outputs
                        .insert(format!("steps.{id}.outputs.{key}"), value.to_owned());
                }
            }
            let is_last = name == "Check";
            if is_last || !output.status.success() {
                return (output, ran);
            }
        }
        panic!("no step checks: {ran:?}");
    }

    fn step(&self, world: &World, number: &str, script: &str) -> Output {
        std::fs::write(self.temp.join("output"), "").unwrap();
        let key = ["runs", "steps", number, "env"];
        let variables = self.settings.under(&key);
        let variables = variables.map(|it| {
            (
                it.key[4].clone(),
                self.expand(it.text().unwrap_or_default()),
            )
        });
        // As the runner calls it.
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", world.path("bin").display()),
            )
            .env("HOME", world.path("home"))
            .env("WEIR_DATA", world.path("data"))
            .env("WEIR_TRUSTED_ROOT", world.path("root.json"))
            .env("GITHUB_OUTPUT", self.temp.join("output"))
            .env("GITHUB_STEP_SUMMARY", self.temp.join("summary.md"))
            .envs(variables)
            .current_dir(world.path("work"))
            .output()
            .unwrap()
    }
}
