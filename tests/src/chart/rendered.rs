//! What each value leads to: a place in an object, and what must stand there.

use serde_json::{Value, json};

use super::render::{Rendered, Tools, items, text};

/// Values, and what they lead to.
type Case<'a> = (&'a str, &'a [Wanted<'a>]);

/// An object's kind and name, a place in it, and what stands there, as JSON; nothing: there is no such place.
type Wanted<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Where the first container of a workload's pods stands.
const CONTAINER: &str = "/spec/template/spec/containers/0";

fn place(of: &str) -> String {
    of.replace('@', CONTAINER)
}

/// What is there instead; nothing when it is as it must be.
fn complaint(rendered: &Rendered, (kind, name, at, wanted): &Wanted<'_>) -> Option<String> {
    let found = rendered.find(kind, name).pointer(&place(at));
    let wanted: Option<Value> = match *wanted {
        "" => None,
        text => Some(serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))),
    };
    (found != wanted.as_ref()).then(|| format!("{kind} {name} at {at}: {found:?}"))
}

/// A store that pods share, and nobody beside the collectors and the query nodes.
const SHARED: &str = "storage: {type: grpc, grpc: {host: 'a:1'}}\nagent: {enabled: false}\n";

// tidy: long-function: a table
#[test]
fn every_value_stands_where_it_belongs() {
    let Some(tools) = Tools::find() else { return };
    let cases: &[Case<'_>] = &[
        (
            "collector: {podDisruptionBudget: {enabled: true}}\n\
             query: {podDisruptionBudget: {enabled: true, minAvailable: 50%, maxUnavailable: null}}",
            &[
                (
                    "PodDisruptionBudget",
                    "jaeger-collector",
                    "/spec/maxUnavailable",
                    "1",
                ),
                (
                    "PodDisruptionBudget",
                    "jaeger-query",
                    "/spec/minAvailable",
                    r#""50%""#,
                ),
                (
                    "PodDisruptionBudget",
                    "jaeger-query",
                    "/spec/maxUnavailable",
                    "",
                ),
                (
                    "PodDisruptionBudget",
                    "jaeger-query",
                    "/spec/selector/matchLabels/app.kubernetes.io~1component",
                    r#""query""#,
                ),
            ],
        ),
        (
            "collector: {autoscaling: {enabled: true, maxReplicas: 7, targetMemoryUtilizationPercentage: 60}}",
            &[
                (
                    "HorizontalPodAutoscaler",
                    "jaeger-collector",
                    "/spec/maxReplicas",
                    "7",
                ),
                (
                    "HorizontalPodAutoscaler",
                    "jaeger-collector",
                    "/spec/metrics",
                    r#"[{"type": "Resource", "resource": {"name": "cpu", "target":
                        {"type": "Utilization", "averageUtilization": 80}}},
                        {"type": "Resource", "resource": {"name": "memory", "target":
                        {"type": "Utilization", "averageUtilization": 60}}}]"#,
                ),
                (
                    "HorizontalPodAutoscaler",
                    "jaeger-collector",
                    "/spec/behavior",
                    "",
                ),
                ("Deployment", "jaeger-collector", "/spec/replicas", ""),
            ],
        ),
        (
            // What waits on a volume of a pod that is scaled away would wait for long.
            "collector: {autoscaling: {enabled: true}, buffer: {enabled: true, persistence: {enabled: true}}}",
            &[(
                "HorizontalPodAutoscaler",
                "jaeger-collector",
                "/spec/behavior/scaleDown/selectPolicy",
                r#""Disabled""#,
            )],
        ),
        (
            // As it was for NodePort, and then closed.
            "collector: {service: {type: ClusterIP, http: {port: 14268, nodePort: 32500}}}",
            &[("Service", "jaeger-collector", "/spec/ports/3/nodePort", "")],
        ),
        (
            "components: {topologySpreadConstraints: []}",
            &[
                (
                    "Deployment",
                    "jaeger-query",
                    "/spec/template/spec/topologySpreadConstraints/0/topologyKey",
                    r#""topology.kubernetes.io/zone""#,
                ),
                (
                    "Deployment",
                    "jaeger-query",
                    "/spec/template/spec/topologySpreadConstraints/1/whenUnsatisfiable",
                    r#""ScheduleAnyway""#,
                ),
            ],
        ),
        (
            "collector: {topologySpreadConstraints: [{maxSkew: 3}]}",
            &[(
                "Deployment",
                "jaeger-collector",
                "/spec/template/spec/topologySpreadConstraints",
                r#"[{"maxSkew": 3}]"#,
            )],
        ),
        (
            "collector: {serviceAccount: {name: writer, annotations: {eks.amazonaws.com/role-arn: 'arn:x'}}}\n\
             query: {serviceAccount: {create: false}}",
            &[
                (
                    "ServiceAccount",
                    "writer",
                    "/metadata/annotations/eks.amazonaws.com~1role-arn",
                    r#""arn:x""#,
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "/spec/template/spec/serviceAccountName",
                    r#""writer""#,
                ),
                (
                    "Deployment",
                    "jaeger-query",
                    "/spec/template/spec/serviceAccountName",
                    r#""default""#,
                ),
            ],
        ),
        (
            "collector: {extraEnv: [{name: A, value: b}], envFrom: [{configMapRef: {name: c}}],\n\
             \x20 extraArgs: [--set, log.level=debug]}",
            &[
                (
                    "Deployment",
                    "jaeger-collector",
                    "@/env/2",
                    r#"{"name": "A", "value": "b"}"#,
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "@/envFrom",
                    r#"[{"configMapRef": {"name": "c"}}]"#,
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "@/args",
                    r#"["collector", "--config", "/etc/trackway/config/trackway.yaml", "--set", "log.level=debug"]"#,
                ),
                ("Deployment", "jaeger-query", "@/envFrom", ""),
            ],
        ),
        (
            "collector: {extraVolumes: [{name: v, emptyDir: {}}], extraVolumeMounts: [{name: v, mountPath: /v}],\n\
             \x20 extraConfigmapMounts: [{name: m, configMap: cm, mountPath: /m/f, subPath: f}]}",
            &[
                (
                    "Deployment",
                    "jaeger-collector",
                    "@/volumeMounts/3",
                    r#"{"name": "v", "mountPath": "/v"}"#,
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "@/volumeMounts/2",
                    r#"{"name": "m", "mountPath": "/m/f", "subPath": "f", "readOnly": true}"#,
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "/spec/template/spec/volumes/3",
                    r#"{"name": "v", "emptyDir": {}}"#,
                ),
            ],
        ),
        (
            "image: {registry: r.example, repository: x/y, tag: '7', pullSecrets: [one, {name: two}]}\n\
             global: {imagePullSecrets: [zero]}",
            &[
                (
                    "Deployment",
                    "jaeger-query",
                    "@/image",
                    r#""r.example/x/y:7""#,
                ),
                (
                    "Deployment",
                    "jaeger-query",
                    "/spec/template/spec/imagePullSecrets",
                    r#"[{"name": "zero"}, {"name": "one"}, {"name": "two"}]"#,
                ),
            ],
        ),
        (
            "image: {repository: tw, tag: '7',\n\
             \x20 digest: 'sha256:00000000000000000000000000000000000000000000000000000000000000aa'}\n\
             global: {imageRegistry: mirror.example/}",
            &[(
                "Deployment",
                "jaeger-query",
                "@/image",
                r#""mirror.example/tw@sha256:00000000000000000000000000000000000000000000000000000000000000aa""#,
            )],
        ),
        (
            "query: {basePath: /traces, ingress: {enabled: true, ingressClassName: '1', hosts: [a.example],\n\
             \x20 annotations: {alb.ingress.kubernetes.io/scheme: internal},\n\
             \x20 tls: [{secretName: t, hosts: [a.example]}]}}",
            &[
                (
                    "Ingress",
                    "jaeger-query",
                    "/spec/ingressClassName",
                    r#""1""#,
                ),
                (
                    "Ingress",
                    "jaeger-query",
                    "/metadata/annotations/alb.ingress.kubernetes.io~1scheme",
                    r#""internal""#,
                ),
                (
                    "Ingress",
                    "jaeger-query",
                    "/spec/tls",
                    r#"[{"secretName": "t", "hosts": ["a.example"]}]"#,
                ),
                (
                    "Ingress",
                    "jaeger-query",
                    "/spec/rules/0/host",
                    r#""a.example""#,
                ),
                (
                    "Ingress",
                    "jaeger-query",
                    "/spec/rules/0/http/paths/0/path",
                    r#""/traces""#,
                ),
                (
                    "Ingress",
                    "jaeger-query",
                    "/spec/rules/0/http/paths/0/backend/service",
                    r#"{"name": "jaeger-query", "port": {"name": "query-http"}}"#,
                ),
            ],
        ),
        (
            "collector: {service: {type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb,\n\
             \x20 loadBalancerSourceRanges: [10.0.0.0/8], extraPorts: [{name: more, port: 99, targetPort: 4318}]}}",
            &[
                (
                    "Service",
                    "jaeger-collector",
                    "/spec/type",
                    r#""LoadBalancer""#,
                ),
                (
                    "Service",
                    "jaeger-collector",
                    "/spec/loadBalancerClass",
                    r#""service.k8s.aws/nlb""#,
                ),
                (
                    "Service",
                    "jaeger-collector",
                    "/spec/loadBalancerSourceRanges",
                    r#"["10.0.0.0/8"]"#,
                ),
                (
                    "Service",
                    "jaeger-collector",
                    "/spec/ports/7",
                    r#"{"name": "more", "port": 99, "targetPort": 4318}"#,
                ),
            ],
        ),
        (
            "query: {httpRoute: {enabled: true, parentRefs: [{name: gate}], hostnames: [a.example]},\n\
             \x20 grpcRoute: {enabled: true, parentRefs: [{name: gate}]}}",
            &[
                (
                    "HTTPRoute",
                    "jaeger-query",
                    "/spec/parentRefs",
                    r#"[{"name": "gate"}]"#,
                ),
                (
                    "HTTPRoute",
                    "jaeger-query",
                    "/spec/hostnames",
                    r#"["a.example"]"#,
                ),
                (
                    "HTTPRoute",
                    "jaeger-query",
                    "/spec/rules/0/backendRefs",
                    r#"[{"name": "jaeger-query", "port": 16686}]"#,
                ),
                (
                    "GRPCRoute",
                    "jaeger-query-grpc",
                    "/spec/rules/0/backendRefs",
                    r#"[{"name": "jaeger-query", "port": 16685}]"#,
                ),
            ],
        ),
        (
            "networkPolicy: {enabled: true, askers: [{podSelector: {matchLabels: {may: ask}}}]}",
            &[
                (
                    "NetworkPolicy",
                    "jaeger-query",
                    "/spec/policyTypes",
                    r#"["Ingress"]"#,
                ),
                (
                    "NetworkPolicy",
                    "jaeger-query",
                    "/spec/ingress/0",
                    r#"{"ports": [{"port": "query-http", "protocol": "TCP"}, {"port": "query-grpc", "protocol": "TCP"}],
                        "from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "jaeger"}}},
                                 {"podSelector": {"matchLabels": {"may": "ask"}}}]}"#,
                ),
            ],
        ),
        (
            // Where a proxy asks who comes, nothing leads past it.
            "networkPolicy: {enabled: true}\nquery: {service: {targetPort: 4180}}",
            &[(
                "NetworkPolicy",
                "jaeger-query",
                "/spec/ingress/0/ports",
                r#"[{"port": 4180, "protocol": "TCP"}]"#,
            )],
        ),
        (
            "rbac: {viewers: {create: true, subjects: [{kind: Group, name: devs}]}}",
            &[
                (
                    "RoleBinding",
                    "jaeger-viewers",
                    "/subjects",
                    r#"[{"kind": "Group", "name": "devs"}]"#,
                ),
                (
                    "Role",
                    "jaeger-viewers",
                    "/rules/2",
                    r#"{"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["create"]}"#,
                ),
            ],
        ),
        (
            "collector: {preStopSeconds: 9, terminationGracePeriodSeconds: 77}",
            &[
                (
                    "Deployment",
                    "jaeger-collector",
                    "@/lifecycle/preStop/sleep/seconds",
                    "9",
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "/spec/template/spec/terminationGracePeriodSeconds",
                    "77",
                ),
            ],
        ),
        (
            "doctor: {enabled: true}\ncollector: {resources: {limits: {memory: 1Gi}}}",
            &[
                (
                    "Deployment",
                    "jaeger-collector",
                    "/spec/template/spec/initContainers/0/args",
                    r#"["doctor", "--role", "collector", "--never-fail",
                        "--config", "/etc/trackway/config/trackway.yaml"]"#,
                ),
                (
                    "Deployment",
                    "jaeger-collector",
                    "/spec/template/spec/initContainers/0/resources/limits/memory",
                    r#""1Gi""#,
                ),
            ],
        ),
        (
            "monitoring: {serviceMonitor: {enabled: true, labels: {release: prom}, interval: 7s},\n\
             \x20 prometheusRule: {enabled: true}, dashboard: {enabled: true}}",
            &[
                (
                    "ServiceMonitor",
                    "jaeger",
                    "/metadata/labels/release",
                    r#""prom""#,
                ),
                (
                    "ServiceMonitor",
                    "jaeger",
                    "/spec/endpoints",
                    r#"[{"port": "admin", "path": "/metrics", "interval": "7s"}]"#,
                ),
                (
                    "PrometheusRule",
                    "jaeger",
                    "/spec/groups/0/rules/0/alert",
                    r#""TrackwayDown""#,
                ),
                (
                    "ConfigMap",
                    "jaeger-dashboard",
                    "/metadata/labels/grafana_dashboard",
                    r#""1""#,
                ),
            ],
        ),
        (
            "monitoring: {serviceMonitor: {enabled: true}}\n\
             settings: {access: {admin: {tls: {cert_file: /tls/tls.crt, key_file: /tls/tls.key}}}}",
            &[
                (
                    "ServiceMonitor",
                    "jaeger",
                    "/spec/endpoints/0/scheme",
                    r#""https""#,
                ),
                (
                    "Deployment",
                    "jaeger-query",
                    "@/readinessProbe/httpGet/scheme",
                    r#""HTTPS""#,
                ),
            ],
        ),
        (
            "monitoring: {serviceMonitor: {enabled: true}}\n\
             settings: {access: {admin: {tls: {cert_file: 'off'}}}}",
            &[("ServiceMonitor", "jaeger", "/spec/endpoints/0/scheme", "")],
        ),
    ];
    let mut complaints = Vec::new();
    for (values, wanted) in cases {
        let rendered = tools.render("jaeger", &format!("{SHARED}{values}\n"));
        complaints.extend(wanted.iter().filter_map(|one| complaint(&rendered, one)));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

// tidy: long-function: a table
#[test]
fn jobs_by_the_clock_do_what_their_values_say() {
    let Some(tools) = Tools::find() else { return };
    let values = "storage: {type: opensearch, elasticsearch: {host: os}}\n\
         query: {extraConfigmapMounts: [{name: ca, configMap: of-query, mountPath: /of-query}]}\n\
         esIndexCleaner: {enabled: true, schedule: '1 2 * * *', numberOfDays: 14, nodeSelector: {a: b},\n\
         \x20 tolerations: [{key: t}], envFrom: [{secretRef: {name: z}}], concurrencyPolicy: Replace,\n\
         \x20 successfulJobsHistoryLimit: 0, ttlSecondsAfterFinished: 60, podAnnotations: {note: 1},\n\
         \x20 cmdlineParams: {es.tls.skip-host-verify: true}, serviceAccount: {name: cleaner},\n\
         \x20 podSecurityContext: {runAsUser: 1000},\n\
         \x20 extraSecretMounts: [{name: own, secretName: s, mountPath: /own}],\n\
         \x20 extraConfigmapMounts: [{name: ca, configMap: cm, mountPath: /ca}]}\n\
         esRollover: {enabled: true, extraEnv: [{name: CONDITIONS, value: '{\"max_age\": \"2d\"}'}]}\n\
         esLookback: {enabled: true, extraEnv: [{name: UNIT, value: hours}, {name: UNIT_COUNT, value: '36'}]}\n";
    let rendered = tools.render("jaeger", values);
    let pod = "/spec/jobTemplate/spec/template";
    let wanted: &[(&str, &str, &str)] = &[
        ("jaeger-index-cleaner", "/spec/schedule", r#""1 2 * * *""#),
        (
            "jaeger-index-cleaner",
            "/spec/concurrencyPolicy",
            r#""Replace""#,
        ),
        (
            "jaeger-index-cleaner",
            "/spec/successfulJobsHistoryLimit",
            "0",
        ),
        ("jaeger-index-cleaner", "/spec/failedJobsHistoryLimit", "3"),
        (
            "jaeger-index-cleaner",
            "/spec/jobTemplate/spec/ttlSecondsAfterFinished",
            "60",
        ),
        (
            "jaeger-index-cleaner",
            "@/metadata/annotations/note",
            r#""1""#,
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/nodeSelector",
            r#"{"a": "b"}"#,
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/tolerations",
            r#"[{"key": "t"}]"#,
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/securityContext/runAsNonRoot",
            "true",
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/securityContext/runAsUser",
            "1000",
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/serviceAccountName",
            r#""cleaner""#,
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/containers/0/envFrom",
            r#"[{"secretRef": {"name": "z"}}]"#,
        ),
        (
            "jaeger-index-cleaner",
            "@/spec/containers/0/args",
            r#"["storage", "clean", "--days", "14", "--config", "/etc/trackway/config/trackway.yaml"]"#,
        ),
        (
            "jaeger-rollover",
            "@/spec/containers/0/args",
            r#"["storage", "rollover", "--config", "/etc/trackway/config/trackway.yaml",
                "--conditions", "{\"max_age\": \"2d\"}", "--lookback", "36h"]"#,
        ),
        (
            "jaeger-rollover",
            "@/spec/serviceAccountName",
            r#""jaeger-query""#,
        ),
    ];
    for (name, at, wanted) in wanted {
        // Here `@` is where the template of the pods stands.
        let at = at.replace('@', pod);
        assert_eq!(complaint(&rendered, &("CronJob", name, &at, wanted)), None);
    }
    rendered.find("ServiceAccount", "cleaner");
    let cleaner = rendered.find("CronJob", "jaeger-index-cleaner");
    let container = cleaner
        .pointer(&format!("{pod}/spec/containers/0"))
        .unwrap();
    let has = |list: &str, wanted: Value| items(&container[list]).contains(&wanted);
    assert!(
        has(
            "env",
            json!({"name": "ES_TLS_SKIP_HOST_VERIFY", "value": "true"})
        ),
        "{container}"
    );
    assert!(
        has(
            "volumeMounts",
            json!({"name": "ca", "mountPath": "/ca", "readOnly": true})
        ),
        "{container}"
    );
}

/// A proxy before the web app is the whole pod's where there is one pod.
#[test]
fn containers_beside_a_part_are_beside_the_whole() {
    let Some(tools) = Tools::find() else { return };
    let values = "query: {service: {targetPort: 4180}, extraContainers: [{name: proxy, image: p}]}\n\
         collector: {initContainers: [{name: first, image: f}]}\n\
         jaeger: {strategy: {type: Recreate}}\nstorage: {type: embedded}\n";
    let rendered = tools.render("jaeger", values);
    let set = &rendered.find("StatefulSet", "jaeger-all-in-one")["spec"];
    let pod = &set["template"]["spec"];
    assert_eq!(pod["containers"][1]["name"], "proxy");
    assert_eq!(pod["initContainers"][0]["name"], "first");
    // A StatefulSet knows no such type; it does so anyway.
    assert!(set["updateStrategy"].is_null(), "{set}");
}

#[test]
fn names_that_look_like_numbers_or_switches_stay_texts() {
    let Some(tools) = Tools::find() else { return };
    for release in ["true", "1e5"] {
        let rendered = tools.render(release, "fullnameOverride: jaeger\n");
        for object in &rendered.objects {
            let label = &object["metadata"]["labels"]["app.kubernetes.io/instance"];
            assert_eq!(label, release, "{object}");
        }
    }
    let values = "storage: {type: elasticsearch, elasticsearch: {existingSecret: '0x1', existingSecretUserKey: '1'}}\n";
    let rendered = tools.render("jaeger", values);
    let query = rendered.find("Deployment", "jaeger-query");
    let env = items(query.pointer(&place("@/env")).unwrap());
    let user = env
        .iter()
        .find(|variable| variable["name"] == "ES_USERNAME")
        .unwrap();
    assert_eq!(
        user["valueFrom"]["secretKeyRef"],
        json!({"name": "0x1", "key": "1"})
    );
}

#[test]
fn notes_name_what_is_there() {
    let Some(tools) = Tools::find() else { return };
    let cases: [(&str, &[&str], &[&str]); 5] = [
        (
            "{}",
            &[
                "svc/jaeger-query 16686:16686",
                "exec statefulset/jaeger-all-in-one -- trackway doctor --config",
            ],
            &["left out"],
        ),
        (
            "storage: {type: cassandra}",
            &[
                "exec deployment/jaeger-query -- trackway doctor --role query",
                "helm -n default test jaeger",
            ],
            &[],
        ),
        (
            "storage: {type: cassandra}\nquery: {enabled: false}\n\
             collector: {buffer: {enabled: true, persistence: {enabled: true}}}",
            &[
                "exec statefulset/jaeger-collector -- trackway doctor --role collector",
                "buffer-jaeger-collector-0",
            ],
            &["16686", "jaeger-query", "helm -n"],
        ),
        (
            "allInOne: {enabled: true, extraEnv: [{name: QUERY_BASE_PATH, value: /jaeger}]}",
            &["http://localhost:16686/jaeger:"],
            &[],
        ),
        (
            "storage: {type: cassandra}\nspark: {enabled: true}\nquery: {serviceMonitor: {enabled: true}}\n\
             schema: {mode: prod}\ncollector: {image: {tag: '1.53'}}",
            &[
                "left out",
                "spark: calls between services",
                "query.serviceMonitor: monitoring.serviceMonitor",
                "schema: storage-init",
                "collector.image:",
            ],
            &["hotrod"],
        ),
    ];
    for (values, has, has_not) in cases {
        let notes = tools.notes(values);
        for words in has {
            assert!(notes.contains(words), "{values}: no {words:?} in {notes}");
        }
        for words in has_not {
            assert!(!notes.contains(words), "{values}: {words:?} in {notes}");
        }
    }
}

/// Jaeger's variable says where its web app is: everything that leads there goes by it.
#[test]
fn a_path_that_a_jaegers_variable_says_is_gone_by() {
    let Some(tools) = Tools::find() else { return };
    let with_flag =
        "storage: {type: cassandra}\nquery: {cmdlineParams: {query.base-path: /jaeger}}\n";
    let of_all = [
        (
            &tools.rendered()["jaeger-v1-all-in-one"],
            "jaeger-all-in-one",
        ),
        (&tools.render("jaeger", with_flag), "jaeger-query"),
    ];
    for (rendered, name) in of_all {
        let config = text(&rendered.find("ConfigMap", name)["data"]["trackway.yaml"]).to_owned();
        assert!(config.contains("base_path: /jaeger"), "{config}");
        let test = rendered.find("Pod", "jaeger-test");
        let arguments = items(&test["spec"]["containers"][0]["args"]);
        let ask = arguments
            .iter()
            .map(text)
            .find(|word| word.contains("-query:"));
        assert_eq!(ask, Some("http://jaeger-query:16686/jaeger"));
    }
    let ingress = of_all_in_one_ingress(&tools.rendered()["jaeger-v1-all-in-one"]);
    assert_eq!(ingress, "/jaeger");
}

fn of_all_in_one_ingress(rendered: &Rendered) -> &str {
    let ingress = rendered.find("Ingress", "jaeger-query");
    text(&ingress["spec"]["rules"][0]["http"]["paths"][0]["path"])
}
