//! Faults that are planted in a copy of the chart, where `TRACKWAY_PLANTED` names one. Which test catches which:
//! `xtask/planted.txt`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::folder::{copy, project_root};

/// A fault: what stands in a file of the chart, exactly once, and what stands there instead.
struct Fault {
    name: &'static str,
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const fn planted(name: &'static str) -> Fault {
    Fault {
        name,
        file: "",
        right: "",
        wrong: "",
    }
}

impl Fault {
    const fn in_file(self, file: &'static str) -> Self {
        Self { file, ..self }
    }

    const fn puts(self, wrong: &'static str, right: &'static str) -> Self {
        Self {
            right,
            wrong,
            ..self
        }
    }

    /// The file with the fault in it.
    fn plant(&self, chart: &Path) -> String {
        let text = std::fs::read_to_string(chart.join(self.file)).unwrap();
        let times = text.matches(self.right).count();
        assert_eq!(times, 1, "{}: {} has it so often", self.name, self.file);
        text.replace(self.right, self.wrong)
    }
}

const FAULTS: [Fault; 17] = [
    planted("chart-probe-forgotten")
        .in_file("templates/_pod.tpl")
        .puts("", r#" "readinessProbe" "/ready""#),
    planted("chart-volumes-forgotten")
        .in_file("templates/_pod.tpl")
        .puts("", r#"{{- include "trackway.storeVolumes" . }}"#),
    planted("chart-checksum-of-nothing")
        .in_file("templates/_pod.tpl")
        .puts(
            r#""%s%s%s%s" "always""#,
            r#""%s%s%s%s" (include "trackway.config" .)"#,
        ),
    planted("chart-password-in-a-variable")
        .in_file("templates/_storage.tpl")
        .puts(
            "ES_PASSWORD: {value: {{ $of.password | quote }}}",
            r#"ES_PASSWORD_FILE: {value: {{ include "trackway.passwordFile" . }}}"#,
        ),
    planted("chart-user-of-the-secret-ignored")
        .in_file("templates/_storage.tpl")
        .puts("{{- if false -}}", "{{- if .existingSecretUserKey -}}"),
    planted("chart-flags-ignored")
        .in_file("templates/_storage.tpl")
        .puts(
            "{{- range $flag, $text := dict }}",
            "{{- range $flag, $text := $of.cmdlineParams }}",
        ),
    planted("chart-agents-by-one-address")
        .in_file("templates/_config.tpl")
        .puts(r#""collector" (eq"#, r#""collector-headless" (eq"#),
    planted("chart-job-of-one-name")
        .in_file("templates/jobs.yaml")
        .puts(r#"("same" | sha256sum"#, "($pod | sha256sum"),
    planted("chart-runs-as-root")
        .in_file("values.yaml")
        .puts("runAsNonRoot: false", "runAsNonRoot: true"),
    planted("chart-names-without-component")
        .in_file("templates/_names.tpl")
        .puts(
            r#"{{- printf "%s-x%s" (include "trackway.fullname" .root) (include"#,
            r#"{{- printf "%s-%s" (include "trackway.fullname" .root) (include"#,
        ),
    planted("chart-egress-to-one-port")
        .in_file("templates/network-policies.yaml")
        .puts("{{- with list 9200 }}", "{{- with uniq $outside }}"),
    planted("chart-path-of-a-variable-ignored")
        .in_file("templates/_config.tpl")
        .puts(
            r#"{{- if eq .name "NOTHING" -}}"#,
            r#"{{- if eq .name "QUERY_BASE_PATH" -}}"#,
        ),
    planted("chart-volumes-scaled-down")
        .in_file("templates/workloads.yaml")
        .puts(
            r#"(dict "selectPolicy" "Max")"#,
            r#"(dict "selectPolicy" "Disabled")"#,
        ),
    planted("chart-policy-past-the-proxy")
        .in_file("templates/network-policies.yaml")
        .puts(
            "(list (dict \"port\" \"query-http\"",
            "(list (dict \"port\" $.Values.query.service.targetPort",
        ),
    planted("chart-release-as-a-number")
        .in_file("templates/_names.tpl")
        .puts(
            "{{ .root.Release.Name }}",
            "{{ .root.Release.Name | quote }}",
        ),
    planted("chart-values-of-nobody-taken")
        .in_file("templates/_components.tpl")
        .puts("(has $component (list))", "(not (has $component $of))"),
    planted("chart-typos-taken")
        .in_file("values.schema.json")
        .puts(
            "  \"required\": [\n    \"global\",",
            "  \"additionalProperties\": false,\n  \"required\": [\n    \"global\",",
        ),
];

/// The chart, or a copy of it with the fault that is asked for.
pub(super) fn chart(root: &Path) -> PathBuf {
    static COPY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let chart = root.join("deploy/helm/trackway");
    let copied = COPY.get_or_init(|| {
        let asked = std::env::var("TRACKWAY_PLANTED").ok()?;
        let fault = FAULTS.iter().find(|fault| fault.name == asked)?;
        // A static is never dropped: the next run takes its place.
        let place = root.join("target/tmp/chart-planted");
        let _gone = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(root.join("target/tmp")).unwrap();
        copy(&chart, &place);
        std::fs::write(place.join(fault.file), fault.plant(&chart)).unwrap();
        Some(place)
    });
    copied.clone().unwrap_or(chart)
}

#[test]
fn every_fault_has_its_place() {
    let chart = project_root().join("deploy/helm/trackway");
    for fault in &FAULTS {
        let file = std::fs::read_to_string(chart.join(fault.file)).unwrap();
        assert_ne!(fault.plant(&chart), file, "{}", fault.name);
    }
}
