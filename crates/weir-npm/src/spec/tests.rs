use super::*;

/// One line per spec, for reading beside the input.
fn show(spec: &str) -> String {
    match classify("dep", spec) {
        DependencySpec::Range(range) => format!("range {range}"),
        DependencySpec::Tag(tag) => format!("tag {tag}"),
        DependencySpec::Alias { name, spec } => match *spec {
            DependencySpec::Range(range) => format!("alias {name} range {range}"),
            DependencySpec::Tag(tag) => format!("alias {name} tag {tag}"),
            other => format!("alias {name} {other:?}"),
        },
        DependencySpec::Git {
            url,
            committish: None,
        } => format!("git {url}"),
        DependencySpec::Git {
            url,
            committish: Some(committish),
        } => format!("git {url} at {committish}"),
        DependencySpec::Url(url) => format!("url {url}"),
        DependencySpec::File(path) => format!("file {path}"),
        DependencySpec::Workspace(rest) => format!("workspace {rest}"),
        DependencySpec::Catalog(rest) => format!("catalog {rest}"),
        DependencySpec::Other(spec) => format!("other {spec}"),
    }
}

#[test]
fn paths_that_stay_in_a_package_are_told_from_those_that_leave_it() {
    for (path, inside) in [
        ("./sub", Some("sub")),
        ("sub/../lib/./sub/", Some("lib/sub")),
        ("lib\\sub.tgz", Some("lib/sub.tgz")),
        ("../sub", None),
        ("sub/../../x", None),
        (".", None),
        ("/tmp/x", None),
        ("//host/share", None),
        ("\\\\host\\share", None),
        ("~/x", None),
        ("C:x", None),
    ] {
        assert_eq!(super::inside_package(path).as_deref(), inside, "{path}");
    }
}

#[test]
fn specs_of_the_registry() {
    for (spec, want) in [
        ("", "range "),
        ("*", "range *"),
        ("^1.2.3", "range ^1.2.3"),
        (" 1.0.0 ", "range 1.0.0"),
        (">=1 <2 || 3.x", "range >=1 <2 || 3.x"),
        ("1.0.0 - 2.0.0", "range 1.0.0 - 2.0.0"),
        ("v1.0.0", "range v1.0.0"),
        ("latest", "tag latest"),
        ("next-11", "tag next-11"),
        ("x", "range x"),
        ("npm:react@^18", "alias react range ^18"),
        ("npm:react", "alias react range "),
        ("NPM:react@next", "alias react tag next"),
        ("npm:@s/n@1.0.0", "alias @s/n range 1.0.0"),
        ("npm:@s/n", "alias @s/n range "),
        ("npm:^1.0.0", "range ^1.0.0"),
        ("npm:x", "alias x range "),
        ("npm:7zip-bin", "alias 7zip-bin range "),
        ("npm:7zip-bin@5", "alias 7zip-bin range 5"),
        ("jsr:@luca/flag@1", "alias @jsr/luca__flag range 1"),
    ] {
        assert_eq!(show(spec), want, "{spec}");
        assert!(
            classify("dep", spec).is_registry() && !classify("dep", spec).is_remote_code(),
            "{spec}"
        );
    }
    assert_eq!(
        classify("@luca/flag", "jsr:^1"),
        classify("other", "jsr:@luca/flag@^1"),
        "a range of the package's own name"
    );
}

#[test]
fn specs_of_remote_code() {
    for (spec, want) in [
        ("user/repo", "git https://github.com/user/repo.git"),
        (
            "user/repo.git#v1",
            "git https://github.com/user/repo.git at v1",
        ),
        (
            "user/repo#semver:^1.0.0",
            "git https://github.com/user/repo.git at semver:^1.0.0",
        ),
        (
            "user/repo#feature/branch",
            "git https://github.com/user/repo.git at feature/branch",
        ),
        ("github:user/repo", "git https://github.com/user/repo.git"),
        (
            "GitHub:user/repo#abc",
            "git https://github.com/user/repo.git at abc",
        ),
        (
            "github:token@user/repo",
            "git https://github.com/user/repo.git",
        ),
        (
            "gitlab:group/sub/repo",
            "git https://gitlab.com/group/sub/repo.git",
        ),
        (
            "bitbucket:user/repo#x",
            "git https://bitbucket.org/user/repo.git at x",
        ),
        (
            "gist:11081aaa281",
            "git https://gist.github.com/11081aaa281.git",
        ),
        (
            "sourcehut:~user/repo",
            "git https://git.sr.ht/~user/repo.git",
        ),
        (
            "git://host.example/repo.git#main",
            "git git://host.example/repo.git at main",
        ),
        (
            "git+ssh://git@host.example/user/repo.git",
            "git ssh://git@host.example/user/repo.git",
        ),
        (
            "git+ssh://git@host.example:user/repo.git#x",
            "git ssh://git@host.example:user/repo.git at x",
        ),
        (
            "git+https://host.example/repo",
            "git https://host.example/repo",
        ),
        (
            "GIT+HTTPS://host.example/repo",
            "git HTTPS://host.example/repo",
        ),
        (
            "git+http://host.example/repo",
            "git http://host.example/repo",
        ),
        ("git+file:///srv/repo", "git file:///srv/repo"),
        (
            "ssh://git@host.example/repo",
            "git ssh://git@host.example/repo",
        ),
        (
            "git@host.example:user/repo.git#x",
            "git git@host.example:user/repo.git at x",
        ),
        ("git@github.com:user/repo", "git git@github.com:user/repo"),
        (
            "https://github.com/user/repo",
            "git https://github.com/user/repo",
        ),
        (
            "https://github.com/user/repo.git#x%20y",
            "git https://github.com/user/repo.git at x y",
        ),
        (
            "https://www.github.com/user/repo",
            "git https://www.github.com/user/repo",
        ),
        (
            "https://github.com/user/repo/tree/dev",
            "git https://github.com/user/repo at dev",
        ),
        (
            "http://github.com/user/repo",
            "git http://github.com/user/repo",
        ),
        (
            "https://gitlab.com/group/sub/repo",
            "git https://gitlab.com/group/sub/repo",
        ),
        (
            "https://gist.github.com/user/1108",
            "git https://gist.github.com/user/1108",
        ),
        (
            "https://github.com/user/repo/archive/v1.tar.gz",
            "url https://github.com/user/repo/archive/v1.tar.gz",
        ),
        (
            "https://github.com/user/repo/tarball/main",
            "url https://github.com/user/repo/tarball/main",
        ),
        (
            "https://gitlab.com/g/r/-/archive/v1/r.tar.gz",
            "url https://gitlab.com/g/r/-/archive/v1/r.tar.gz",
        ),
        (
            "https://bitbucket.org/u/r/get/v1.tar.gz",
            "url https://bitbucket.org/u/r/get/v1.tar.gz",
        ),
        (
            "https://host.example/x.tgz",
            "url https://host.example/x.tgz",
        ),
        ("http://host.example/any", "url http://host.example/any"),
        ("HTTPS://host.example/x", "url HTTPS://host.example/x"),
        (
            "https://user:pass@host.example/x",
            "url https://user:pass@host.example/x",
        ),
        (
            " https://host.example/x.tgz",
            "url https://host.example/x.tgz",
        ),
    ] {
        assert_eq!(show(spec), want, "{spec}");
        assert!(
            classify("dep", spec).is_remote_code() && !classify("dep", spec).is_registry(),
            "{spec}"
        );
    }
}

#[test]
fn everything_else() {
    for (spec, want) in [
        ("file:../x", "file ../x"),
        ("FILE:x.tgz", "file x.tgz"),
        ("link:../x", "file ../x"),
        ("portal:../x", "file ../x"),
        ("../x", "file ../x"),
        ("./x.tgz", "file ./x.tgz"),
        ("/abs", "file /abs"),
        ("~/x", "file ~/x"),
        ("C:\\x", "file C:\\x"),
        ("\\\\share\\x", "file \\\\share\\x"),
        ("folder/sub/x", "file folder/sub/x"),
        ("x.tar.gz", "file x.tar.gz"),
        ("workspace:*", "workspace *"),
        ("workspace:^1.0.0", "workspace ^1.0.0"),
        ("catalog:", "catalog "),
        ("catalog:react18", "catalog react18"),
        (
            "patch:x@npm%3A1.0.0#./x.patch",
            "other patch:x@npm%3A1.0.0#./x.patch",
        ),
        ("exec:./x.js", "other exec:./x.js"),
        ("npm:", "range "),
        ("npm:a@npm:b@1", "other npm:a@npm:b@1"),
        ("npm:a@user/repo", "other npm:a@user/repo"),
        ("npm:@s", "other npm:@s"),
        ("javascript:alert(1)", "other javascript:alert(1)"),
        ("not a range", "other not a range"),
        ("tàg", "other tàg"),
        ("%00", "other %00"),
    ] {
        assert_eq!(show(spec), want, "{spec}");
        assert!(!classify("dep", spec).is_remote_code(), "{spec}");
    }
}
