//! Values that are misspelt, contradict one another, or can't be, are refused, and the words say what to write.

use serde_json::{Value, json};

use super::policy::restricted;
use super::render::{Tools, items, text};

#[test]
fn misspelt_values_are_refused() {
    let Some(tools) = Tools::find() else { return };
    let cases = [
        ("collecter: {replicaCount: 2}", "'collecter' not allowed"),
        (
            "collector: {replicas_count: 2}",
            "'replicas_count' not allowed",
        ),
        ("storage: {type: elastic}", "value must be one of"),
        (
            "storage: {elasticsearch: {existingsecret: x}}",
            "'existingsecret' not allowed",
        ),
        (
            "storage: {elasticsearch: {tls: {caConfigmap: x}}}",
            "'caConfigmap' not allowed",
        ),
        (
            "storage: {elasticsearch: {scheme: htps}}",
            "value must be one of",
        ),
        (
            "allInOne: {persistence: {size: 20GB}}",
            "does not match pattern",
        ),
        (
            "collector: {topologySpreadContraints: [{maxSkew: 1}]}",
            "maxItems",
        ),
        ("settings: {stor: {}}", "'stor' not allowed"),
        (
            "query: {service: {type: Loadbalancer}}",
            "value must be one of",
        ),
        ("mode: distribute", "value must be one of"),
        ("image: {digest: latest}", "does not match pattern"),
        ("storage: {elasticsearch: {password: 0123}}", "got number"),
        ("query: null", "missing property 'query'"),
        (
            "components: {serviceAccount: null}",
            "missing property 'serviceAccount'",
        ),
        (
            "allInOne: {persistence: null}",
            "missing property 'persistence'",
        ),
    ];
    for (values, words) in cases {
        let said = tools.refusal(values);
        assert!(said.contains(words), "{values}: {said}");
    }
}

// tidy: long-function: a table
#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let Some(tools) = Tools::find() else { return };
    let cases = [
        ("mode: distributed", "set storage.type to elasticsearch"),
        (
            "query: {oAuthSidecar: {enabled: true}}",
            "query.service.targetPort",
        ),
        (
            "query: {networkPolicy: {enabled: true}}",
            "networkPolicy.askers",
        ),
        (
            "settings: {backend: {kind: remote}}",
            "backend.kind is what storage.type says",
        ),
        (
            "settings: {listen: {admin: 9999}}",
            "listen.admin is where probes",
        ),
        (
            "storage: {type: grpc, grpc: {host: 'a:1'}}\nallInOne: {settings: {log: {level: info}}}",
            "no such pod here",
        ),
        (
            "storage: {type: grpc, grpc: {host: 'a:1'}}\nsettings: {access: {tenants: {header: x-tenant}}}",
            "of one tenant",
        ),
        (
            "storage: {type: grpc, grpc: {host: 'a:1'}}\n\
             collector: {settings: {access: {receive: {tls: {cert_file: /c}}}}}",
            "give agents the authority",
        ),
        (
            "storage: {type: grpc, grpc: {host: 'a:1'}}\ncollector: {settings: {access: {receive: {tokens_file: /t}}}}",
            "give agents a token",
        ),
        (
            "esIndexCleaner: {enabled: true}",
            "they are for Elasticsearch and OpenSearch",
        ),
        (
            "userconfig: {extensions: {}}",
            "storage.type: where are spans kept?",
        ),
        (
            "provisionDataStore: {cassandra: true}",
            "set provisionDataStore.cassandra to false",
        ),
        (
            "ingester: {enabled: true}",
            "ingester.enabled: Kafka stands between",
        ),
        ("storage: {type: grpc}", "storage.grpc.host"),
        (
            "agent: {buffer: {persistence: {enabled: true}}}",
            "agents are a DaemonSet",
        ),
        (
            "collector: {buffer: {persistence: {enabled: true}}}",
            "there are no collectors here",
        ),
        (
            "storage: {type: cassandra}\ncollector: {buffer: {persistence: {enabled: true}}}",
            "set collector.buffer.enabled to true",
        ),
        (
            "storage: {type: cassandra}\n\
             collector: {strategy: {type: Recreate}, buffer: {enabled: true, persistence: {enabled: true}}}",
            "collector.strategy: with buffer.persistence",
        ),
        (
            "storage: {type: cassandra}\n\
             collector: {strategy: {rollingUpdate: {maxSurge: 0}},\n\
             \x20 buffer: {enabled: true, persistence: {enabled: true}}}",
            "collector.strategy: with buffer.persistence",
        ),
        (
            "storage: {cassandra: {host: cass.example}}",
            "set storage.type to cassandra",
        ),
        (
            "storage: {elasticsearch: {existingSecret: login}}",
            "set storage.type to elasticsearch",
        ),
        (
            "storage: {cassandra: {keyspace: jaeger_v1_production}}",
            "set storage.type to cassandra",
        ),
        (
            "storage: {elasticsearch: {cmdlineParams: {es.server-urls: 'https://es'}}}",
            "set storage.type to elasticsearch",
        ),
        (
            "collector: {replicas: 3}",
            "it is called collector.replicaCount",
        ),
        (
            "query: {buffer: {size: 1Gi}}",
            "it is one of collector, agent",
        ),
        (
            "allInOne: {replicaCount: 2}",
            "allInOne.replicaCount: this component has no such value",
        ),
        ("fullnameOverride: Jaeger_X", "is no name for a Service"),
        (
            "storage: {type: cassandra}\nagent: {enabled: false}\ncollector: {enabled: false}\nquery: {enabled: false}",
            "nothing left to install",
        ),
        (
            "storage: {type: cassandra}\nquery: {enabled: false, ingress: {enabled: true}}",
            "set query.enabled",
        ),
        (
            "query: {service: {targetPort: 4180}, grpcRoute: {enabled: true, parentRefs: [{name: gate}]}}",
            "this would lead past it",
        ),
        (
            "storage: {type: cassandra}\nmonitoring: {serviceMonitor: {enabled: true}}\n\
             query: {settings: {access: {admin: {tls: {cert_file: /c, key_file: /k}}}}}",
            "name monitoring.serviceMonitor.endpoint.scheme",
        ),
        (
            "query: {httpRoute: {enabled: true}}",
            "query.httpRoute.parentRefs: which Gateway?",
        ),
        (
            "storage: {type: cassandra}\ncollector: {buffer: {enabled: true, size: 1G}}",
            "does not match pattern",
        ),
    ];
    for (values, words) in cases {
        let said = tools.refusal(values);
        assert!(said.contains(words), "{values}: {said}");
    }
}

/// The keys of a tree, dotted.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        found.push(path.clone());
        keys(value, &path, found);
    }
}

#[test]
fn the_schema_knows_every_value_and_nothing_at_random() {
    let Some(tools) = Tools::find() else { return };
    let read = |name: &str| std::fs::read_to_string(tools.chart().join(name)).unwrap();
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut known = Vec::new();
    keys(&values, "", &mut known);
    // That the schema takes them is shown by rendering them; here that no section of it is open.
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        if schema["type"] == "object"
            && !schema["properties"].is_null()
            && schema["additionalProperties"] != false
        {
            found.push(path.to_owned());
        }
        for (key, value) in schema.as_object().into_iter().flatten() {
            open(value, &format!("{path}/{key}"), found);
        }
    }
    let mut sections = Vec::new();
    open(&schema, "", &mut sections);
    // `global` is shared with other charts.
    assert_eq!(
        sections,
        ["/properties/global"],
        "sections that take any name"
    );
    assert!(known.len() > 150, "{} values", known.len());
}

#[test]
fn collectors_whose_buffers_are_kept_have_claims() {
    let Some(tools) = Tools::find() else { return };
    let kept = &tools.rendered()["buffer"];
    let set = &kept.find("StatefulSet", "jaeger-collector")["spec"];
    let claim = &set["volumeClaimTemplates"][0];
    assert_eq!(claim["metadata"]["name"], "buffer");
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "4Gi");
    let volumes = items(&set["template"]["spec"]["volumes"]);
    assert!(volumes.iter().all(|volume| volume["name"] != "buffer"));
    kept.find("Service", text(&set["serviceName"]));
    let scaler = kept.find("HorizontalPodAutoscaler", "jaeger-collector");
    assert_eq!(scaler["spec"]["scaleTargetRef"]["kind"], "StatefulSet");
    // Without a volume they are as they were.
    let gone = &tools.rendered()["large"];
    gone.find("Deployment", "jaeger-collector");
}

#[test]
fn pods_are_replaced_when_what_they_read_changes() {
    let Some(tools) = Tools::find() else { return };
    let checksum = |values: &str| {
        let rendered = tools.render("jaeger", values);
        let query = rendered.find("Deployment", "jaeger-query");
        let annotations = &query["spec"]["template"]["metadata"]["annotations"];
        text(&annotations["checksum/config"]).to_owned()
    };
    let base = "storage: {type: elasticsearch}\n";
    let first = checksum(base);
    assert_eq!(first, checksum(base));
    assert_ne!(
        first,
        checksum(&format!("{base}settings: {{log: {{level: debug}}}}"))
    );
    assert_ne!(first, checksum(&format!("{base}query: {{config: '{{}}'}}")));
    assert_ne!(
        first,
        checksum("storage: {type: elasticsearch, elasticsearch: {password: other}}")
    );
    assert_eq!(
        first,
        checksum(&format!("{base}collector: {{replicaCount: 5}}"))
    );
}

#[test]
fn a_job_makes_the_store_ready_and_has_another_name_when_it_changes() {
    let Some(tools) = Tools::find() else { return };
    let job = |values: &str| {
        let rendered = tools.render("jaeger", values);
        let mut jobs = rendered.of_kind("Job");
        let job = jobs.next().expect("a job");
        let arguments = items(&job["spec"]["template"]["spec"]["containers"][0]["args"]).to_vec();
        assert_eq!(arguments[..2], ["storage", "init"]);
        text(&job["metadata"]["name"]).to_owned()
    };
    let first = job("storage: {type: cassandra}");
    assert!(first.starts_with("jaeger-storage-init-"), "{first}");
    assert_ne!(
        first,
        job("storage: {type: cassandra, cassandra: {keyspace: other}}")
    );
    for values in [
        "storage: {type: cassandra, cassandra: {schemaJobEnabled: false}}",
        "storage: {type: elasticsearch}",
        "{}",
    ] {
        assert_eq!(
            tools.render("jaeger", values).of_kind("Job").count(),
            0,
            "{values}"
        );
    }
}

/// A value for each name that charts of Jaeger have had, with its default there.
fn of_jaegers_charts(tools: &Tools, which: &str) -> Value {
    let file = format!("tests/golden/charts/jaeger-values-{which}.txt");
    let lines = std::fs::read_to_string(tools.root().join(&file)).unwrap();
    let mut all = json!({});
    for line in lines.lines() {
        let (path, value) = line.split_once(' ').unwrap();
        let value: Value = serde_json::from_str(value).unwrap();
        let mut place = &mut all;
        for name in path.split('.') {
            place = &mut place[name];
        }
        *place = value;
    }
    // What this chart can't bring with it.
    all["provisionDataStore"] = json!({"cassandra": false, "elasticsearch": false, "kafka": false});
    all
}

#[test]
fn every_value_that_jaegers_charts_have_had_is_known() {
    let Some(tools) = Tools::find() else { return };
    let charts = [
        ("0-and-1", "Deployment", "jaeger-collector"),
        ("2-and-3", "Deployment", "jaeger-collector"),
        ("4", "StatefulSet", "jaeger-all-in-one"),
    ];
    for (which, kind, name) in charts {
        let values = of_jaegers_charts(&tools, which);
        let rendered = tools.render("jaeger", &values.to_string());
        rendered.find(kind, name);
        let complaints = tools.complaints(&rendered.text);
        assert!(complaints.is_empty(), "{which}: {complaints}");
    }
}

/// Jobs of Jaeger's charts run as a user of their own; they keep to the restricted standard all the same.
#[test]
fn jobs_by_the_clock_are_restricted_with_a_jaegers_values() {
    let Some(tools) = Tools::find() else { return };
    for which in ["2-and-3", "4"] {
        let mut values = of_jaegers_charts(&tools, which);
        values["storage"]["type"] = json!("elasticsearch");
        for job in ["esIndexCleaner", "esRollover", "esLookback"] {
            values[job]["enabled"] = json!(true);
        }
        let rendered = tools.render("jaeger", &values.to_string());
        assert_eq!(rendered.of_kind("CronJob").count(), 2, "{which}");
        let jobs = rendered.pods().into_iter();
        for (pod, template) in jobs.filter(|(pod, _)| pod.starts_with("CronJob")) {
            let broken: Vec<_> = restricted(template)
                .into_iter()
                .filter(|(_, is_kept)| !is_kept)
                .collect();
            assert!(broken.is_empty(), "{which}: {pod}: {broken:?}");
        }
    }
}
