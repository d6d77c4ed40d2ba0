//! The table of the chart's values in its README, made of the comments in `values.yaml` (`cargo xtask codegen`).
//!
//! Promises: a row for each value whose comment begins with `# -- `, in their order, with its default; a value without
//! such a comment stands in the row of the one above it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

const VALUES_FILE: &str = "deploy/helm/trackway/values.yaml";
const README_FILE: &str = "deploy/helm/trackway/README.md";
/// What stands before the table.
const HEAD: &str = "\
# The chart

Trackway on Kubernetes, in the place of a Jaeger: [docs/kubernetes.md](../../../docs/kubernetes.md) leads from an empty
namespace to a first trace, [docs/migrate-from-jaeger.md](../../../docs/migrate-from-jaeger.md) from a Jaeger that runs.

```sh
helm install jaeger deploy/helm/trackway --namespace tracing --create-namespace --wait
helm --namespace tracing test jaeger
```

Nodes must find [the image](../../../docs/kubernetes.md#the-image); where it is in a registry, `image.registry` and
`image.repository` name it.

Values of Jaeger's charts (0.17 to 4.11) are taken as they are, and the notes after an installation name those that mean
nothing here. A name that is misspelt is refused. What may be set for pods (`components` below) may be set for each of
`allInOne`, `collector`, `query`, `ingester` and `agent`, too, and goes before it there. Services take what else
Kubernetes has for them (`labels`, `loadBalancerClass`, `loadBalancerSourceRanges`, `externalTrafficPolicy`,
`externalIPs` and so on, and `extraPorts`); `query.service.targetPort` is the port of a proxy before the web app; each
`tls` of `storage` takes a `clientSecret` with the client's own certificate. In `ci/` are files of values for many kinds
of installations; [monitoring](monitoring/README.md) has a dashboard and alert rules.

## Values

<!-- Made from the comments in values.yaml: cargo xtask codegen -->

";
/// Longer defaults are looked up in the file.
const DEFAULT_CHARS_MAX: usize = 60;
const INDENT: usize = 2;

/// Writes the README, or checks that it is up to date.
///
/// # Errors
/// With `check` when it is not; else when a file can't be read or written.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let values = fs::read_to_string(root.join(VALUES_FILE)).context(VALUES_FILE)?;
    let wanted = format!("{HEAD}{}", table(&values));
    let file = root.join(README_FILE);
    if fs::read_to_string(&file).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if check {
        bail!("{README_FILE} is not up to date; run cargo xtask codegen");
    }
    fs::write(&file, wanted).context(README_FILE)
}

/// The table of all values that are described.
fn table(values: &str) -> String {
    let mut rows = String::from("| Value | Default | What it says |\n|---|---|---|\n");
    let mut path: Vec<&str> = Vec::new();
    let mut about: Option<String> = None;
    for line in values.lines() {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / INDENT;
        if let Some(begun) = text.strip_prefix("# -- ") {
            about = Some(begun.to_owned());
        } else if let Some(more) = text.strip_prefix("# ") {
            if let Some(about) = &mut about {
                about.push(' ');
                about.push_str(more);
            }
        } else if let Some((key, value)) = text.split_once(':').filter(|_| !text.starts_with('-')) {
            path.truncate(depth);
            path.push(key);
            if let Some(about) = about.take() {
                rows.push_str(&row(&path.join("."), value.trim(), &about));
            }
        }
    }
    rows
}

fn row(path: &str, value: &str, about: &str) -> String {
    let default = match value {
        "" => "a section".to_owned(),
        value if value.chars().count() > DEFAULT_CHARS_MAX => "in values.yaml".to_owned(),
        value => format!("`{}`", value.replace('|', "\\|")),
    };
    format!("| `{path}` | {default} | {} |\n", about.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_described_value_has_a_row_with_its_place_and_default() {
        let values = "# No row.\na: 1\nsection:\n  # -- What b says,\n  # and more.\n  b: {x: 1}\n  c: 2\n\
                      # -- Last.\nlast: \"\"\n";
        let rows = table(values);
        assert!(
            rows.contains("| `section.b` | `{x: 1}` | What b says, and more. |\n"),
            "{rows}"
        );
        assert!(rows.ends_with("| `last` | `\"\"` | Last. |\n"), "{rows}");
        assert!(!rows.contains("section.c"), "{rows}");
    }
}
