//! Packages that never send what they are given, whatever addresses stand beside it.

/// A row: a package, and what it does instead.
pub(crate) type Silent = (&'static str, &'static str);

/// The table.
pub(crate) const SILENT: &[Silent] = &[
    ("debug", "prints"),
    ("chalk", "colours text"),
    ("picocolors", "colours text"),
    ("kleur", "colours text"),
    ("ansi-colors", "colours text"),
    ("colors", "colours text"),
    ("colorette", "colours text"),
    ("cli-color", "colours text"),
    ("ansis", "colours text"),
    ("consola", "prints"),
    ("signale", "prints"),
    ("loglevel", "prints"),
    ("npmlog", "prints"),
    ("fancy-log", "prints"),
    ("pino", "prints"),
    ("bunyan", "prints"),
    ("ora", "prints"),
    ("boxen", "prints"),
    ("log-symbols", "prints"),
    ("cli-table", "prints"),
    ("cli-table3", "prints"),
    (
        "update-notifier",
        "prints, and asks a registry only for names",
    ),
    ("typescript", "compiles"),
    ("@babel/core", "compiles"),
    ("@swc/core", "compiles"),
    ("esbuild", "compiles"),
    ("sucrase", "compiles"),
    ("prettier", "formats"),
    ("commander", "reads command lines"),
    ("yargs", "reads command lines"),
    ("yargs-parser", "reads command lines"),
    ("minimist", "reads command lines"),
    ("cac", "reads command lines"),
    ("meow", "reads command lines"),
    ("inquirer", "asks at the terminal"),
    ("prompts", "asks at the terminal"),
    ("lodash", "helper of the language"),
    ("underscore", "helper of the language"),
    ("ramda", "helper of the language"),
    ("deepmerge", "helper of the language"),
    ("qs", "puts addresses together"),
    ("query-string", "puts addresses together"),
    ("url-join", "puts addresses together"),
    ("url-parse", "takes addresses apart"),
    ("whatwg-url", "takes addresses apart"),
    ("zod", "checks values"),
    ("joi", "checks values"),
    ("@hapi/joi", "checks values"),
    ("yup", "checks values"),
    ("ajv", "checks values"),
    ("valibot", "checks values"),
    ("superstruct", "checks values"),
    ("convict", "checks settings"),
    ("envalid", "checks settings"),
    ("@t3-oss/env-core", "checks settings"),
    ("@t3-oss/env-nextjs", "checks settings"),
    ("dotenv", "reads settings"),
    ("dotenv-expand", "reads settings"),
    ("handlebars", "fills templates"),
    ("mustache", "fills templates"),
    ("ejs", "fills templates"),
    ("nunjucks", "fills templates"),
];

/// Whether a package of this name is one, or a part of one.
pub(crate) fn is_silent(package: &str) -> bool {
    let name = match package.starts_with('@') {
        true => package.match_indices('/').nth(1),
        false => package.match_indices('/').next(),
    };
    let name = name.map_or(package, |(at, _)| package.get(..at).unwrap_or(package));
    // `lodash.merge` is published by itself.
    let name = name.split_once('.').map_or(name, |(first, _)| first);
    SILENT.iter().any(|(known, _)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::is_silent;

    #[test]
    fn parts_of_silent_packages_are_silent() {
        for (package, silent) in [
            ("debug", true),
            ("debug.red", true),
            ("lodash/merge", true),
            ("lodash.merge", true),
            ("@hapi/joi", true),
            ("@hapi/joi/lib", true),
            ("@hapi/wreck", false),
            ("debugger", false),
            ("mqtt", false),
        ] {
            assert_eq!(is_silent(package), silent, "{package}");
        }
    }
}
