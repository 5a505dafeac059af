//! What npm's lockfile and manifests say of where a package is: registries below a path, addresses of other forms, and
//! packages that come by an address of their own.

use weir_testing::clients::{self, Client, Kind};
use weir_testing::{Package, Project, Registry, Release};

use crate::support::{World, output, river};

/// A project whose own configuration names the registry, and whose lockfile names what the registry does.
fn project(registry: &Registry) -> Project {
    let settings = format!(
        "registry={}\nomit-lockfile-registry-resolved=false\n",
        registry.url()
    );
    Project::new()
        .file(".npmrc", settings)
        .dependency("gauge-reader", "^1.0.0")
}

/// Installs, and then once more what the lockfile says, with nothing in any cache of the client's.
fn twice(world: &World, npm: &Client, project: &Project) -> (String, String) {
    let run = output(world.wrapper(npm, project).args(["npm", "install"]));
    run.assert_success();
    let lock = project.read("package-lock.json").unwrap();
    assert!(!lock.contains("127.0.0.1"), "{lock}");
    project.forget_modules();
    project.forget_home();
    let run = output(world.wrapper(npm, project).args(["npm", "ci"]));
    run.assert_success();
    assert_eq!(project.installed("gauge-reader").as_deref(), Some("1.1.0"));
    (lock, run.stderr.clone())
}

#[test]
fn a_registry_may_be_below_a_path() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    registry.present_tarballs_at("https://registry.example.invalid/api/npm/team/");
    let project = project(&registry).dependency("@millpond/sluice", "^2.0.0");
    let (lock, said) = twice(&world, &npm, &project);
    assert!(
        lock.contains("https://registry.example.invalid/api/npm/team/@millpond/sluice/-/"),
        "{lock}"
    );
    assert!(said.contains("weir: 2 releases seen"), "{said}");
}

#[test]
fn addresses_of_a_registrys_own_form_are_put_back() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), river());
    let address = "https://registry.example.invalid/download/@millpond/sluice/2.0.0/0a1b2c3d";
    registry.edit_packument("@millpond/sluice", move |document| {
        document["versions"]["2.0.0"]["dist"]["tarball"] = address.into();
    });
    let tarball = registry.tarball("@millpond/sluice", "2.0.0").unwrap();
    let path = "/download/@millpond/sluice/2.0.0/0a1b2c3d";
    registry.serve(path, 200, "application/octet-stream", tarball);
    registry.present_tarballs_at("https://registry.example.invalid/");
    let project = project(&registry).dependency("@millpond/sluice", "^2.0.0");
    let (lock, said) = twice(&world, &npm, &project);
    assert!(lock.contains(address), "{lock}");
    assert!(said.contains("weir: 2 releases seen"), "{said}");
}

/// A fork elsewhere has the name of a package of the registry: npm gets the fork, as it would without weir, and says so.
#[test]
fn what_comes_by_an_address_comes_from_there() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry, elsewhere) = (World::new(), river(), Registry::start());
    registry.present_tarballs_at("https://registry.example.invalid/");
    let fork = Release::new("9.0.0").published("2026-01-05T09:00:00Z");
    elsewhere.add(Package::new("gauge-reader").release(fork));
    let base = elsewhere.url().replace("127.0.0.1", "localhost");
    let address = format!("{base}gauge-reader/-/gauge-reader-9.0.0.tgz");
    let project = Project::new()
        .file(".npmrc", format!("registry={}\n", registry.url()))
        .dependency("gauge-reader", &address)
        .dependency("@millpond/sluice", "^2.0.0");
    for (number, command) in ["install", "ci"].into_iter().enumerate() {
        let run = output(world.wrapper(&npm, &project).args(["npm", command]));
        run.assert_success();
        assert!(
            run.says("NOT CHECKED: gauge-reader (from localhost)"),
            "{}",
            run.stderr
        );
        assert_eq!(project.installed("gauge-reader").as_deref(), Some("9.0.0"));
        assert_eq!(elsewhere.requests_to("*.tgz").len(), number + 1);
        let lock = project.read("package-lock.json").unwrap();
        assert!(lock.contains(&address), "{lock}");
        assert!(!lock.contains("127.0.0.1"), "{lock}");
        project.forget_modules();
        project.forget_home();
    }
}
