#!/usr/bin/env python3
"""What is installed, judged by those who install it: dpkg, systemd, man, Bash, Helm's own engine, the
schemas of Kubernetes, hadolint. The packages are made here of the given binary.

With --peers-only nothing is packed, and what needs the binary is left out.
"""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import zipfile

import peers

ROOT = peers.HERE.parent
MADE = ROOT / "target" / "package"
CHART = ROOT / "packaging" / "helm" / "hydrant"
UNIT = ROOT / "packaging" / "debian" / "hydrant.service"
# Kubernetes releases that the chart is for: the oldest it admits, and the newest known.
KUBERNETES = ["1.27.0", "1.37.0"]
# systemd's own measure of exposure, times ten; a service without any setting has 96.
EXPOSURE_MAX = 20

# Everything that can be turned on.
ALL_ON = {
    "replicas": 2,
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {
        "disk_budget": "4GiB",
        "sources": {
            "aws": {"type": "firehose", "listen": "0.0.0.0:4433", "access_keys": ["${KEY}"]},
            "archive": {"type": "s3", "bucket": "metrics", "region": "eu-west-1"},
        },
        "streams": {"out": {"source": ["aws", "archive"], "destination": {"type": "blackhole"}}},
    },
    "existingSecret": "hydrant-keys",
    "env": [{"name": "KEY", "value": "k"}],
    "tls": {"existingSecret": "hydrant-tls"},
    "service": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb",
                "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme":
                                "internet-facing"},
                "ports": [{"name": "firehose", "port": 443, "targetPort": 4433}]},
    "ingress": {"enabled": True, "className": "nginx", "host": "in.example.com",
                "tlsSecret": "in-example-com", "annotations": {"a": "b"}},
    "persistence": {"size": "20Gi", "storageClass": "gp3", "retain": False},
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn":
                                       "arn:aws:iam::111122223333:role/hydrant"}},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "podAnnotations": {"a": "b"}, "podLabels": {"team": "blue"},
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
                                   "whenUnsatisfiable": "ScheduleAnyway"}],
    "priorityClassName": "high",
}


def run(*command, **more):
    """Output of a command that must succeed and say nothing on stderr, unless that is asked for."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    shown = f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, shown
    return done


def tool(name, package):
    if shutil.which(name) is None:
        raise SystemExit(f"{name} is not there; Debian has it in the package {package}")


def package(binary, what):
    """Makes one package of this binary; returns its path."""
    environment = {**os.environ, "HYDRANT_BINARY": str(binary)}
    said = run(ROOT / "scripts" / "package", what, env=environment, cwd=ROOT).stderr
    return ROOT / re.findall(r"^made (?:\S+ )?(target/\S+)$", said, re.MULTILINE)[-1]


def check_debian_package(binary, folder):
    deb = package(binary, "deb")
    root = folder / "root"
    run("dpkg-deb", "-x", deb, root)
    run("dpkg-deb", "-e", deb, folder / "control")
    run("md5sum", "--quiet", "-c", folder / "control" / "md5sums", cwd=root)
    fields = run("dpkg-deb", "-f", deb).stdout
    assert re.search(r"^Version: \d+\.\d+\.\d+$", fields, re.MULTILINE), fields
    assert "@" not in fields.replace("@localhost", ""), fields
    assert (folder / "control" / "conffiles").read_text() == "/etc/hydrant/hydrant.yaml\n"
    assert (root / "usr/bin/hydrant").read_bytes() == pathlib.Path(binary).read_bytes()
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", deb).stdout.splitlines()}
    assert owners == {"root/root"}, owners
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", folder / "control" / script)

    # The settings of the package are right, but for the key that postinst makes.
    key = folder / "access-key"
    key.write_text("0123456789abcdef")
    settings = folder / "hydrant.yaml"
    text = (root / "etc/hydrant/hydrant.yaml").read_text()
    assert text.count("/etc/hydrant/access-key") == 1, text
    settings.write_text(text.replace("/etc/hydrant/access-key", str(key)))
    said = run(root / "usr/bin/hydrant", "validate", "-c", settings).stdout
    assert "127.0.0.1:4433" in said and "/var/lib/hydrant" in text, said

    # The pages name them; who has the package has no checkout.
    for name in ("prometheus/hydrant.rules.yml", "grafana/hydrant.json"):
        kept = (root / "usr/share/doc/hydrant" / name).read_bytes()
        assert kept == (ROOT / "packaging" / name).read_bytes(), name

    pages = sorted((root / "usr/share/man/man1").glob("*.1.gz"))
    assert len(pages) > 10, pages
    for page in pages:
        done = run("man", "--warnings", "-l", page, env={**os.environ, "MANPAGER": "cat"})
        assert done.stderr == "" and "EXAMPLES" in done.stdout.upper(), f"{page}: {done.stderr}"
    run("bash", "-n", root / "usr/share/bash-completion/completions/hydrant")
    print(f"ok: {deb.name} holds the binary, right settings, {len(pages)} manual pages")
    return root


def check_unit(root, folder):
    # systemd looks for the binary; it lies below the root that the package was unpacked into.
    unpacked = root / "lib/systemd/system/hydrant.service"
    assert unpacked.read_text() == UNIT.read_text()
    moved = folder / "hydrant.service"
    moved.write_text(UNIT.read_text().replace("/usr/bin/hydrant", f"{root}/usr/bin/hydrant"))
    done = run("systemd-analyze", "verify", "--man=no", moved)
    assert done.stderr == "", done.stderr
    measured = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}",
         "--no-pager", str(UNIT)], capture_output=True, text=True)
    last = measured.stdout.strip().splitlines()[-1]
    assert measured.returncode == 0, f"{last}\n{measured.stderr}"
    unit = UNIT.read_text()
    for line in ("Type=notify", "WatchdogSec=", "StateDirectory=hydrant", "ExecReload="):
        assert line in unit, line
    print("ok: the unit is valid;", last.split("→")[-1].strip())


def check_lambda(binary):
    archive = package(binary, "lambda")
    with zipfile.ZipFile(archive) as found:
        (entry,) = found.infolist()
        assert entry.filename == "bootstrap", entry
        assert stat.S_IMODE(entry.external_attr >> 16) == 0o755, oct(entry.external_attr >> 16)
        assert found.read(entry) == pathlib.Path(binary).read_bytes()
        assert entry.compress_size < entry.file_size * 0.7, entry
    print(f"ok: {archive.name} holds the binary as bootstrap")


def check_containerfile():
    run(peers.PYTHON.parent / "hadolint", ROOT / "packaging" / "container" / "Containerfile")
    print("ok: hadolint takes the Containerfile")


def documents(rendered):
    """What Kubernetes gets: every document of every template."""
    import yaml
    for name, text in rendered.items():
        if name.endswith(".yaml"):
            yield from (document for document in yaml.safe_load_all(text) if document)


def check_settings(binary, settings, folder):
    """The settings file that the chart makes, read by the binary itself."""
    if binary is None:
        return
    (folder / "chart.yaml").write_text(settings)
    variables = {**os.environ, **peers.AWS, "FIREHOSE_ACCESS_KEY": "k", "KEY": "k"}
    run(binary, "validate", "-c", folder / "chart.yaml", env=variables)


def check_chart(binary, folder):
    import helm_python
    import kubernetes_validate
    from helm_python import chart as helm

    archive = package(binary or "", "chart")
    example = helm.values_from_yaml((CHART / "ci" / "example-values.yaml").read_text())
    count = 0
    with helm.Chart.load(archive) as chart:
        for values, kinds in ((example, 6), (ALL_ON, 8)):
            report = helm.lint(CHART, values, strict=True)
            worst = [m for m in report["messages"] if m["severity"] > 1]
            assert not worst and not report["errors"], report
            made = list(documents(chart.render(values, name="metrics", namespace="observability")))
            assert len({(d["kind"], d["metadata"]["name"]) for d in made}) == kinds, made
            by_kind = {d["kind"]: d for d in made}
            for document in made:
                if document["kind"] == "ServiceMonitor":
                    continue  # not of Kubernetes itself
                for version in KUBERNETES:
                    kubernetes_validate.validate(document, version, strict=True)
                count += 1
            settings = by_kind["ConfigMap"]["data"]["hydrant.yaml"]
            check_settings(binary, settings, folder)
            pod = by_kind["StatefulSet"]["spec"]["template"]["spec"]
            ports = {str(p["containerPort"]) for p in pod["containers"][0]["ports"]}
            listens = set(re.findall(r"listen: 0\.0\.0\.0:(\d+)", settings))
            assert ports == listens, (ports, listens)
        no_host = {"ingress": {"enabled": True}}
        own_folder = {"settings": {**example["settings"], "data_dir": "/tmp"}}
        for wrong in ({"replicas": "two"}, {"persistance": {}}, no_host, own_folder, None):
            values = {**example, **wrong} if wrong else {}
            try:
                chart.validate_schema(values)
                chart.render(values, name="metrics")
            except helm_python.HelmError:
                continue
            raise AssertionError(f"the chart takes {wrong}")
    print(f"ok: the chart: lint, {count} objects of Kubernetes {' and '.join(KUBERNETES)}, settings")


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_packages.py")
    for name, where in (("dpkg-deb", "dpkg"), ("systemd-analyze", "systemd"), ("man", "man-db")):
        tool(name, where)
    with tempfile.TemporaryDirectory(prefix="hydrant-packages-") as name:
        folder = pathlib.Path(name)
        if binary is not None:
            check_unit(check_debian_package(binary, folder), folder)
            check_lambda(binary)
        check_containerfile()
        check_chart(binary, folder)


main()
