//! Data files of a package, by their names.

/// How a data file is told of as the source of a flow.
pub(crate) const PREFIX: &str = "the data file ";

/// Extensions of files that are read as code anyway, hold structure rather than text, or are templates
/// and queries, which is what honest libraries make functions of.
const OTHERS: &[&str] = &[
    // Code that is looked at for itself.
    "js",
    "cjs",
    "mjs",
    "jsx",
    "ts",
    "tsx",
    "cts",
    "mts",
    "wasm",
    "node",
    "sh",
    "ps1",
    "bat",
    "cmd",
    "py",
    // Structure.
    "json",
    "json5",
    "jsonc",
    "jsonl",
    "yml",
    "yaml",
    "toml",
    "xml",
    "csv",
    "map",
    "lock",
    "env",
    "ini",
    "conf",
    "proto",
    "graphql",
    "gql",
    "sql",
    "wsdl",
    "xsd",
    "d",
    // Text for people and for pages.
    "md",
    "markdown",
    "html",
    "htm",
    "xhtml",
    "css",
    "scss",
    "sass",
    "less",
    "styl",
    "svg",
    // Templates and grammars, of which functions are made.
    "ejs",
    "hbs",
    "handlebars",
    "mustache",
    "pug",
    "jade",
    "njk",
    "nunjucks",
    "liquid",
    "dot",
    "dust",
    "eta",
    "tpl",
    "tmpl",
    "template",
    "templates",
    "jst",
    "vue",
    "svelte",
    "peg",
    "pegjs",
    "pegs",
    "ne",
    "jison",
    "y",
    "bnf",
    "ebnf",
    "glsl",
    "frag",
    "vert",
    "wgsl",
    "lua",
];

/// Whether a file of this name is no code, and none of the files that code is honestly made of.
pub(crate) fn may_be(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    !name.is_empty()
        && extension.is_none_or(|it| !OTHERS.contains(&it.to_ascii_lowercase().as_str()))
}

/// The same of a path that is only written out, where a name without extension is mostly a folder.
pub(crate) fn is_named(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.contains('.') && !name.ends_with('.') && may_be(name)
}

#[cfg(test)]
mod tests {
    use super::{is_named, may_be};

    #[test]
    fn data_files_are_told_by_name() {
        for name in ["data.bin", "a.b.dat", "logo.PNG", "payload", "x.txt"] {
            assert!(may_be(name), "{name}");
        }
        for name in ["x.js", "x.JSON", "index.d.ts", "page.html", "view.ejs", ""] {
            assert!(!may_be(name), "{name}");
        }
        for path in ["/assets/data.bin", "data.bin", "./x.txt"] {
            assert!(is_named(path), "{path}");
        }
        for path in ["/assets", "..", "./lib/", "x.js"] {
            assert!(!is_named(path), "{path}");
        }
    }
}
