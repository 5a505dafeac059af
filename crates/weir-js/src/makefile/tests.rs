use super::{read, read_cmake};
use crate::command;

fn goals(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn words(script: &str) -> String {
    command::words(script).join(" ")
}

#[test]
fn a_goal_leads_to_its_recipes() {
    let text = "V := x.js\nRUN = $(NODE) $(V)\nNODE ?= node\n.PHONY: all clean\nall: lib/a.o done\n\t@echo built\n\
        done:\n\t-@$(RUN) \\\n\t  --quick $$HOME\n%.o: %.c\n\tcc -c $<\nclean:\n\trm -rf out\nrelease: all\n\tnpm publish\n";
    let built = read(text, &[]);
    let run = words(&built.script);
    assert!(run.contains("node x.js --quick $HOME"), "{run}");
    assert!(run.contains("cc -c") && run.contains("echo built"), "{run}");
    assert!(!run.contains("publish") && !run.contains("rm "), "{run}");
    let run = words(&read(text, &goals(&["clean"])).script);
    assert_eq!(run, "rm -rf out");
}

#[test]
fn what_is_run_while_it_is_read_counts() {
    let text = "A := $(shell node a.js)\nB != node b.js\nifeq ($(shell node c.js),1)\nC = 1\nendif\ninclude d.mk\n\
        all: ; node e.js\n";
    let built = read(text, &[]);
    let run = words(&built.script);
    for file in ["a.js", "b.js", "c.js", "e.js"] {
        assert!(run.contains(&format!("node {file}")), "{file}: {run}");
    }
    assert_eq!(built.includes, ["d.mk"]);
}

#[test]
fn nothing_of_a_makefile_ends_its_reader() {
    let deep = "$(".repeat(10_000);
    for text in [
        "A = $(A)$(A)\nall:\n\t$(A)\n",
        "all: all\n\t$",
        "\tx\n",
        "define A\n",
        "a\\",
        deep.as_str(),
    ] {
        let _ = read(text, &[]);
        let _ = read_cmake(text);
    }
}

#[test]
fn lists_of_cmake_tell_their_commands() {
    let text = "# (\nset(SCRIPT \"x.js\")\nexecute_process(COMMAND node ${SCRIPT} WORKING_DIRECTORY lib)\n\
        add_custom_command(OUTPUT a COMMAND ${CMAKE_COMMAND} -E echo \"a b\" # none\n COMMAND sh b.sh DEPENDS c)\n\
        add_subdirectory(deep)\nfile(DOWNLOAD https://a.invalid/x x.bin)\ninclude(cmake/tools.cmake)\n";
    let built = read_cmake(text);
    let run = words(&built.script);
    for line in [
        "node x.js",
        "sh b.sh",
        "cmake -E echo a b",
        "curl -o x.bin https://a.invalid/x",
    ] {
        assert!(run.contains(line), "{line}: {run}");
    }
    assert_eq!(built.includes, ["deep/CMakeLists.txt", "cmake/tools.cmake"]);
}
