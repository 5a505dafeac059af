//! Catalogs: ranges that a project keeps in one place for all its workspaces, which ask for `catalog:`.

use std::collections::{BTreeSet, HashMap};

use weir_npm::lockfile::{DEFAULT_CATALOG, Format, Lockfile, named_catalog};

use super::Checked;
use super::client::ClientFiles;
use super::step::OUT_OF_STEP;

/// The catalogs of a project.
#[derive(Debug, Default)]
pub(in crate::commands) struct Catalogs {
    /// The file they are in.
    file: &'static str,
    /// Whether that file is there.
    is_there: bool,
    /// Whether there is code that may add to it.
    is_hooked: bool,
    /// Whether it could be read, if it is there.
    is_read: bool,
    /// What each asks for, by catalog and package.
    entries: HashMap<(String, String), String>,
}

/// What it means that a catalog is not seen to have a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// It is not in it.
    Sure,
    /// The file is not here, or code of the project's own may add to it.
    Elsewhere,
    /// The file cannot be read.
    Unread,
}

impl Catalogs {
    /// Reads them where the client of a lockfile does.
    pub(super) fn of(files: &ClientFiles, format: Format) -> Self {
        let (file, settings, above): (_, _, &[&[&str]]) = match format {
            Format::Pnpm => ("pnpm-workspace.yaml", &files.pnpm, &[&[]]),
            Format::YarnBerry => (".yarnrc.yml", &files.yarnrc_yml, &[&[]]),
            // npm and yarn 1 have none: what asks for one there is not understood by them.
            Format::Bun | Format::Npm | Format::YarnClassic => {
                ("package.json", &files.package, &[&[], &["workspaces"]])
            }
        };
        let mut entries = HashMap::new();
        for above in above {
            let one = [above, &["catalog"][..]].concat();
            for setting in settings.under(&one) {
                if let ([package], Some(range)) = (below(&setting.key, one.len()), setting.text()) {
                    entries.insert(
                        (DEFAULT_CATALOG.to_owned(), package.clone()),
                        range.to_owned(),
                    );
                }
            }
            let many = [above, &["catalogs"][..]].concat();
            for setting in settings.under(&many) {
                let key = below(&setting.key, many.len());
                if let ([catalog, package], Some(range)) = (key, setting.text()) {
                    entries.insert((catalog.clone(), package.clone()), range.to_owned());
                }
            }
        }
        Self {
            file,
            is_there: settings.name.is_some(),
            is_hooked: files.has_pnpmfile,
            is_read: files.broken.iter().all(|(broken, ..)| broken != file),
            entries,
        }
    }

    /// What it means for a lockfile that something is not in them; `None` where its client knows of none.
    pub(super) fn lack(&self, lockfile: &Lockfile) -> Option<Lack> {
        match lockfile.format {
            Format::Npm | Format::YarnClassic => None,
            _ if !self.is_read => Some(Lack::Unread),
            _ if !self.is_there || (self.is_hooked && lockfile.terms.hooked) => {
                Some(Lack::Elsewhere)
            }
            _ => Some(Lack::Sure),
        }
    }

    /// What a request stands for, if it names a catalog that holds the package.
    pub(super) fn meant(&self, package: &str, spec: &str) -> Option<&str> {
        self.range(spec.strip_prefix("catalog:")?, package)
    }

    /// What a catalog asks for, if it holds the package. `catalog` is what follows `catalog:`.
    pub(in crate::commands) fn range(&self, catalog: &str, package: &str) -> Option<&str> {
        let key = (named_catalog(catalog).to_owned(), package.to_owned());
        self.entries.get(&key).map(String::as_str)
    }

    /// Where a catalog is, in words.
    pub(in crate::commands) fn place(&self, catalog: &str) -> String {
        match named_catalog(catalog) {
            DEFAULT_CATALOG => format!("the catalog in {}", self.file),
            catalog => format!("the catalog {catalog:?} in {}", self.file),
        }
    }
}

fn below(key: &[String], above: usize) -> &[String] {
    key.get(above..).unwrap_or_default()
}

/// Compares what the lockfile repeats of the catalogs with what they are. pnpm and bun do not believe one that
/// repeats something else, whatever versions it has.
pub(super) fn check(checked: &mut Checked<'_>, catalogs: &Catalogs) {
    let lockfile = checked.lockfile;
    if catalogs.lack(lockfile) != Some(Lack::Sure) {
        return;
    }
    let asked = lockfile.edges.iter().filter_map(|edge| {
        let catalog = edge.spec.strip_prefix("catalog:")?;
        Some((named_catalog(catalog), edge.name.as_str()))
    });
    let asked: BTreeSet<(&str, &str)> = asked.collect();
    for ((catalog, package), said) in &lockfile.terms.catalogs {
        let place = catalogs.place(catalog);
        let what = match catalogs.range(catalog, package) {
            Some(range) if range == said => continue,
            Some(range) => format!("{place} has {package} {range:?}, the lockfile says {said:?}"),
            // Said of who asks for it.
            None if asked.contains(&(catalog.as_str(), package.as_str())) => continue,
            None => format!("the lockfile has {package} {said:?} of {place}, which has it not"),
        };
        checked.add(&OUT_OF_STEP, 1, None, &what);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    /// Whether what is not seen in a catalog is known not to be there.
    #[test]
    fn what_a_catalog_lacks_is_sure_where_all_of_it_is_here() {
        const PNPM: &str = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n";
        const HOOKED: &str = "lockfileVersion: '9.0'\npnpmfileChecksum: x\nimporters:\n  .: {}\n";
        const NPM: &str = r#"{"lockfileVersion": 3, "packages": {"": {}}}"#;
        for (file, lock, settings, lack) in [
            (
                "pnpm-lock.yaml",
                PNPM,
                Some("catalog: {}\n"),
                Some(Lack::Sure),
            ),
            ("pnpm-lock.yaml", PNPM, None, Some(Lack::Elsewhere)),
            (
                "pnpm-lock.yaml",
                PNPM,
                Some("catalog: !!map {}\n"),
                Some(Lack::Unread),
            ),
            (
                "pnpm-lock.yaml",
                HOOKED,
                Some("# beside a pnpmfile\ncatalog: {}\n"),
                Some(Lack::Elsewhere),
            ),
            // Anybody can write that there is one.
            (
                "pnpm-lock.yaml",
                HOOKED,
                Some("catalog: {}\n"),
                Some(Lack::Sure),
            ),
            ("package-lock.json", NPM, None, None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            if let Some(text) = settings {
                std::fs::write(folder.path().join("pnpm-workspace.yaml"), text).unwrap();
                if text.starts_with('#') {
                    std::fs::write(folder.path().join(".pnpmfile.cjs"), "").unwrap();
                }
            }
            let files = ClientFiles::read(&Tree::Folder(folder.path().to_owned()));
            let lockfile = Lockfile::parse(file, lock.as_bytes()).unwrap();
            let catalogs = Catalogs::of(&files, lockfile.format);
            assert_eq!(catalogs.lack(&lockfile), lack, "{lock} {settings:?}");
        }
    }

    #[test]
    fn each_client_has_its_catalogs_in_another_place() {
        let yaml = "catalog:\n  reed: ^1.0.0\ncatalogs:\n  old:\n    reed: ~0.9.0\n";
        let flat = r#"{"catalog": {"reed": "^1.0.0"}, "catalogs": {"old": {"reed": "~0.9.0"}}}"#;
        let inner = format!("{{\"workspaces\": {flat}}}");
        for (format, file, text) in [
            (Format::Pnpm, "pnpm-workspace.yaml", yaml),
            (Format::YarnBerry, ".yarnrc.yml", yaml),
            (Format::Bun, "package.json", flat),
            (Format::Bun, "package.json", &inner),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), text).unwrap();
            let files = ClientFiles::read(&Tree::Folder(folder.path().to_owned()));
            let catalogs = Catalogs::of(&files, format);
            for (catalog, range) in [
                ("", Some("^1.0.0")),
                ("default", Some("^1.0.0")),
                ("old", Some("~0.9.0")),
                ("new", None),
            ] {
                assert_eq!(
                    catalogs.range(catalog, "reed"),
                    range,
                    "{format:?} {catalog:?}"
                );
            }
            assert_eq!(catalogs.range("", "mud"), None);
            assert_eq!(catalogs.place(""), format!("the catalog in {file}"));
            assert_eq!(
                catalogs.place("old"),
                format!("the catalog \"old\" in {file}")
            );
        }
    }
}
