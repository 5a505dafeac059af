//! From a build's certificate to claims, and whether its own statement agrees.

use jiff::Timestamp;
use sigstore_verify::crypto::x509::FulcioCiClaims;
use weir_model::Claims;

use crate::attestations::{SLSA_0_2, SLSA_1};
use crate::statement::Statement;
use crate::verifier::Refusal;

/// The claims of a verified certificate.
pub(crate) fn of_certificate(
    issuer: &str,
    predicate: &str,
    certificate: &FulcioCiClaims,
    signed_at: Timestamp,
) -> Result<Claims, Refusal> {
    let old = &certificate.deprecated_github;
    let or = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
    let old_repository = old.workflow_repository.as_ref();
    // Certificates of before 2023 name GitHub's repositories without their host.
    let old_repository = old_repository.map(|path| format!("https://github.com/{path}"));
    let repository = certificate.source_repository_uri.clone();
    let repository = repository.or(old_repository).ok_or(Refusal::NoBuild)?;
    let repository = tidy(&repository);
    let config = certificate.build_config_uri.as_deref();
    let signer = certificate.build_signer_uri.as_deref();
    let workflow = config.or(signer).map(|uri| workflow_of(uri, &repository));
    let signing = signer.map(|uri| workflow_of(uri, &repository));
    Ok(Claims {
        predicate: predicate.to_owned(),
        issuer: issuer.to_owned(),
        repository_id: certificate.source_repository_identifier.clone(),
        owner: certificate.source_repository_owner_uri.clone(),
        owner_id: certificate.source_repository_owner_identifier.clone(),
        commit: or(&certificate.source_repository_digest, &old.workflow_sha),
        reference: or(&certificate.source_repository_ref, &old.workflow_ref),
        signer: signing.filter(|signing| Some(signing) != workflow.as_ref()),
        workflow,
        trigger: or(&certificate.build_trigger, &old.workflow_trigger),
        runner: certificate.runner_environment.clone(),
        environment: certificate.deployment_environment.clone(),
        visibility: certificate.source_repository_visibility_at_signing.clone(),
        run: certificate.run_invocation_uri.clone(),
        repository,
        signed_at,
    })
}

/// A workflow without its ref, and without the repository where that is the source's own.
fn workflow_of(uri: &str, repository: &str) -> String {
    let path = uri.rsplit_once('@').map_or(uri, |(path, _)| path);
    let inside = path
        .get(..repository.len())
        .filter(|start| start.eq_ignore_ascii_case(repository))
        .and_then(|_| path.get(repository.len()..))
        .filter(|rest| rest.starts_with('/'));
    inside
        .map_or(path, |rest| rest.trim_start_matches('/'))
        .to_owned()
}

/// An address without `git+`, ref, `.git` and final slash.
fn tidy(address: &str) -> String {
    let address = address.strip_prefix("git+").unwrap_or(address);
    // Only a ref: other things with an `@` in them are part of the path.
    let address = address
        .split_once("@refs/")
        .map_or(address, |(address, _)| address);
    let address = address.trim_end_matches('/');
    address.strip_suffix(".git").unwrap_or(address).to_owned()
}

/// Whether what the build wrote about itself is what its certificate says.
///
/// The statement is the build's own word. Where it names another repository, commit or workflow than the
/// certificate, one of the two was put together with the other.
pub(crate) fn agree(statement: &Statement, claims: &Claims) -> Result<(), Refusal> {
    let (repository, commit, workflow) = match statement.predicate_type.as_str() {
        SLSA_1 => (
            statement.text("/buildDefinition/externalParameters/workflow/repository"),
            statement.text("/buildDefinition/resolvedDependencies/0/digest/gitCommit"),
            statement.text("/buildDefinition/externalParameters/workflow/path"),
        ),
        SLSA_0_2 => (
            statement.text("/invocation/configSource/uri"),
            statement.text("/invocation/configSource/digest/sha1"),
            None,
        ),
        _ => (None, None, None),
    };
    let contradicts = |what: &'static str, said: &str, is: &str| Refusal::Contradiction {
        what,
        said: weir_model::finding::printable(said, 300),
        is: weir_model::finding::printable(is, 300),
    };
    if let Some(said) = repository
        && !tidy(said).eq_ignore_ascii_case(&claims.repository)
    {
        return Err(contradicts("repository", said, &claims.repository));
    }
    if let (Some(said), Some(is)) = (commit, &claims.commit)
        && said != is
    {
        return Err(contradicts("commit", said, is));
    }
    // A workflow of another repository is an address in the certificate and a path in the statement.
    if let (Some(said), Some(is)) = (workflow, &claims.workflow)
        && !is.contains("://")
        && said != is
    {
        return Err(contradicts("workflow", said, is));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_their_trimmings() {
        let cases = [
            (
                "git+https://git.example.invalid/o/r@refs/heads/main",
                "https://git.example.invalid/o/r",
            ),
            (
                "https://git.example.invalid/o/r.git",
                "https://git.example.invalid/o/r",
            ),
            (
                "git+https://git.example.invalid/@o/r@refs/tags/v1",
                "https://git.example.invalid/@o/r",
            ),
            (
                "https://git.example.invalid/o/r/",
                "https://git.example.invalid/o/r",
            ),
        ];
        for (written, tidied) in cases {
            assert_eq!(tidy(written), tidied);
        }
    }

    #[test]
    fn a_workflow_is_a_path_in_its_own_repository_and_an_address_elsewhere() {
        let repository = "https://git.example.invalid/o/r";
        let cases = [
            (
                "https://git.example.invalid/o/r/.github/workflows/a.yml@refs/tags/v1",
                ".github/workflows/a.yml",
            ),
            (
                "https://git.example.invalid/o/r//.gitlab-ci.yml@refs/heads/main",
                ".gitlab-ci.yml",
            ),
            (
                "https://git.example.invalid/o/rr/.github/a.yml@x",
                "https://git.example.invalid/o/rr/.github/a.yml",
            ),
        ];
        for (uri, workflow) in cases {
            assert_eq!(workflow_of(uri, repository), workflow);
        }
    }
}
