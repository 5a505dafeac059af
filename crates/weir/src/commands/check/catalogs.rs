//! Catalogs: ranges that a project keeps in one place for all its workspaces, which ask for `catalog:`.

use std::collections::HashMap;

use weir_npm::lockfile::Format;

use super::client::ClientFiles;

/// The catalog that is meant where none is named.
const DEFAULT: &str = "default";

/// The catalogs of a project.
#[derive(Debug, Default)]
pub(in crate::commands) struct Catalogs {
    /// The file they are in.
    file: &'static str,
    /// What each asks for, by catalog and package.
    entries: HashMap<(String, String), String>,
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
                    entries.insert((DEFAULT.to_owned(), package.clone()), range.to_owned());
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
        Self { file, entries }
    }

    /// What a catalog asks for, if it holds the package. `catalog` is what follows `catalog:`.
    pub(in crate::commands) fn range(&self, catalog: &str, package: &str) -> Option<&str> {
        let key = (named(catalog).to_owned(), package.to_owned());
        self.entries.get(&key).map(String::as_str)
    }

    /// Where a catalog is, in words.
    pub(in crate::commands) fn place(&self, catalog: &str) -> String {
        match named(catalog) {
            DEFAULT => format!("the catalog in {}", self.file),
            catalog => format!("the catalog {catalog:?} in {}", self.file),
        }
    }
}

fn below(key: &[String], above: usize) -> &[String] {
    key.get(above..).unwrap_or_default()
}

fn named(catalog: &str) -> &str {
    match catalog.trim() {
        "" => DEFAULT,
        catalog => catalog,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

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
