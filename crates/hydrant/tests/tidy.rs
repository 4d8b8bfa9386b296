//! The habits of the house, checked: edges between crates, files, words, documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Packages in the lock file. A new dependency is a decision: write it into docs/dependencies.md,
/// then raise this in the same commit.
const PACKAGES_MAX: usize = 270;
/// Lines of a source file without its tests.
const LINES_MAX: usize = 500;
/// Bytes of a tracked file; what is larger is data, and belongs elsewhere.
const FILE_BYTES_MAX: u64 = 64 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of the project, from its root, without what is built or fetched.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be listed") {
            let entry = entry.expect("an entry can be read");
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type().expect("an entry has a type");
            // A module may have the name of the folders that are built in.
            let within = folder.strip_prefix(root()).unwrap_or(&folder);
            let is_built = name == "target" && !within.iter().any(|part| part == "src");
            if kind.is_dir() && !name.starts_with('.') && name != "hydrant-data" && !is_built {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    rust.map(|path| {
        let text = std::fs::read_to_string(&path).expect("sources are text");
        (path, text)
    })
    .collect()
}

fn is_test(path: &Path) -> bool {
    let named = |name: &str| path.components().any(|part| part.as_os_str() == name);
    named("tests") || named("benches") || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// Names under `[section]` of a manifest.
fn names_under(manifest: &str, section: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == format!("[{section}]");
        } else if inside
            && let Some((name, _)) = line.split_once(['.', '=', ' '])
            && !name.is_empty()
            && !name.starts_with('#')
        {
            names.insert(name.to_owned());
        }
    }
    names
}

#[track_caller]
fn none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

/// The drawing in ARCHITECTURE.md: `intake -> metric, aws` or `codec leaf`, each crate once.
fn drawing() -> BTreeMap<String, BTreeSet<String>> {
    let page = read("ARCHITECTURE.md");
    let crates = crates();
    let mut edges = BTreeMap::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let Some((name, rest)) = line.split_once(' ').filter(|_| fenced) else { continue };
        if !crates.contains(name) {
            continue;
        }
        let rest = rest.trim_start();
        let known = match rest.strip_prefix("->") {
            // Two blanks begin the remark behind the list.
            Some(list) => list.trim_start().split("  ").next().unwrap_or(""),
            None if rest.contains("leaf") => "",
            None => continue,
        };
        let known = known.split(',').map(|name| name.trim().to_owned());
        let known: BTreeSet<String> = known.filter(|name| !name.is_empty()).collect();
        assert!(edges.insert(name.to_owned(), known).is_none(), "{name} is drawn twice");
    }
    edges
}

fn crates() -> BTreeSet<String> {
    let folder = std::fs::read_dir(root().join("crates")).expect("there are crates");
    folder.map(|entry| entry.expect("a crate").file_name().to_string_lossy().into_owned()).collect()
}

/// *Scenario:* the manifests of all crates beside the drawing in ARCHITECTURE.md.
/// *Guarantees:* no crate knows another that the drawing does not allow; nothing but tests knows
/// the test kit.
#[test]
fn edges_are_drawn() {
    let drawing = drawing();
    let crates = crates();
    let mut wrong = Vec::new();
    for name in &crates {
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let known = names_under(&manifest, "dependencies");
        let Some(allowed) = drawing.get(name) else {
            wrong.push(format!("{name} is not drawn"));
            continue;
        };
        for other in known.intersection(&crates) {
            let all = allowed.contains("all") && other != "testkit";
            if !all && !allowed.contains(other) {
                wrong.push(format!("{name} -> {other} is not drawn"));
            }
        }
    }
    none(&wrong, "edges between crates");
}

/// *Scenario:* every source file.
/// *Guarantees:* it begins with what it is for, is ASCII, and is not too long to read.
#[test]
fn sources_are_readable() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        // The tests of a module are introduced by the module.
        let is_part = path.file_name().is_some_and(|name| name == "tests.rs");
        if !text.starts_with("//! ") && !is_part {
            wrong.push(format!("{place} does not begin with //!"));
        }
        if !text.is_ascii() {
            let line = text.lines().position(|line| !line.is_ascii()).unwrap_or(0) + 1;
            wrong.push(format!("{place}:{line} is not ASCII"));
        }
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("").lines().count();
        if lines > LINES_MAX && !is_test(&path) {
            wrong.push(format!("{place} has {lines} lines, more than {LINES_MAX}"));
        }
    }
    none(&wrong, "source files");
}

/// *Scenario:* every source file.
/// *Guarantees:* nothing unfinished, nothing switched off, no silenced lint without its reason.
#[test]
fn nothing_is_left_unfinished() {
    // Put together here, so that this file does not hold them.
    let marks = ["FIX", "TO", "XX"].iter().zip(["ME", "DO", "X"]);
    let marks: Vec<String> = marks.map(|(a, b)| format!("{a}{b}")).collect();
    let calls = ["unimplemented", "todo"].map(|name| format!("{name}!("));
    let attributes = ["ignore", "allow("].map(|name| format!("#[{name}"));
    let keyword = format!("{}{}", "un", "safe {");
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        for (index, line) in text.lines().enumerate() {
            let is_word = |mark: &String| {
                line.split(|c: char| !c.is_alphanumeric()).any(|word| word == mark.as_str())
            };
            let found = marks.iter().any(is_word)
                || calls.iter().any(|call| line.contains(call))
                || attributes.iter().any(|attribute| line.contains(attribute))
                || line.contains(&keyword);
            // The counting allocator of the test kit, and the one of the process, are the exceptions
            // the language demands.
            let exempt = [
                "testkit/src/alloc.rs",
                "allocator/src/lib.rs",
                "allocator/src/region.rs",
                "allocator/src/region/tests.rs",
            ];
            if found && !exempt.iter().any(|end| place.ends_with(end)) {
                wrong.push(format!("{place}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    none(&wrong, "unfinished, ignored or silenced");
}

/// *Scenario:* every file of the project.
/// *Guarantees:* none above the bound but the lock file.
#[test]
fn no_file_is_large() {
    let mut wrong = Vec::new();
    for path in files() {
        let bytes = std::fs::metadata(&path).expect("a file has a size").len();
        let lock = path.file_name().is_some_and(|name| name == "Cargo.lock");
        if bytes > FILE_BYTES_MAX && !lock {
            wrong.push(format!("{} has {bytes} bytes", path.display()));
        }
    }
    none(&wrong, "large files");
}

/// *Scenario:* the dependencies of the workspace beside docs/dependencies.md, and the lock file.
/// *Guarantees:* each is explained there, each crate in use, and the tree does not grow unseen.
#[test]
fn dependencies_are_decisions() {
    let manifest = read("Cargo.toml");
    let page = read("docs/dependencies.md");
    let own = crates();
    let used: BTreeSet<String> = own
        .iter()
        .map(|name| read(&format!("crates/{name}/Cargo.toml")))
        .flat_map(|text| {
            let mut names = names_under(&text, "dependencies");
            names.extend(names_under(&text, "dev-dependencies"));
            names
        })
        .collect();
    let mut wrong = Vec::new();
    for name in names_under(&manifest, "workspace.dependencies") {
        if own.contains(&name) {
            continue;
        }
        if !page.contains(&format!("`{name}`")) {
            wrong.push(format!("{name} is not in docs/dependencies.md"));
        }
        if !used.contains(&name) {
            wrong.push(format!("{name} is used by no crate"));
        }
    }
    let packages = read("Cargo.lock").matches("[[package]]").count();
    if packages > PACKAGES_MAX {
        wrong.push(format!("Cargo.lock holds {packages} packages, more than {PACKAGES_MAX}"));
    }
    none(&wrong, "dependencies");
}

/// *Scenario:* the dependencies of each crate beside its sources.
/// *Guarantees:* each is named there: what is not used is not built.
#[test]
fn dependencies_are_used() {
    let mut wrong = Vec::new();
    for name in crates() {
        let folder = root().join("crates").join(&name);
        let (tests, shipped): (Vec<_>, Vec<_>) = sources()
            .into_iter()
            .filter(|(path, _)| path.starts_with(&folder))
            .partition(|(path, _)| !path.starts_with(folder.join("src")));
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        let unused = |section: &str, within: &[&Vec<(PathBuf, String)>]| {
            let mut names = names_under(&manifest, section);
            names.retain(|dependency| {
                let word = dependency.replace('-', "_");
                let is_word = |c: char| c.is_alphanumeric() || c == '_';
                let named = |text: &str| text.split(|c| !is_word(c)).any(|found| found == word);
                !within.iter().any(|files| files.iter().any(|(_, text)| named(text)))
            });
            names
                .into_iter()
                .map(|dependency| format!("{name} -> {dependency}"))
                .collect::<Vec<_>>()
        };
        wrong.extend(unused("dependencies", &[&shipped]));
        wrong.extend(unused("dev-dependencies", &[&shipped, &tests]));
    }
    none(&wrong, "dependencies that no source names");
}

/// The name that a lock file has for a dependency, which a manifest may call otherwise.
fn package_of(dependency: &str) -> String {
    let manifest = read("Cargo.toml");
    let mut lines = manifest.lines().filter(|line| line.starts_with(&format!("{dependency} =")));
    let renamed = lines.next().and_then(|line| line.split_once("package = \""));
    let package = renamed.and_then(|(_, rest)| rest.split('"').next());
    package.unwrap_or(dependency).to_owned()
}

/// *Scenario:* the lock files that are not the workspace's: of the peers' tool, of fuzz targets.
/// *Guarantees:* what they know of our crates is so: all can be built with `--locked`.
#[test]
fn other_locks_follow_the_crates() {
    let mut wrong = Vec::new();
    let own = crates();
    let all = files().into_iter().filter(|path| path.ends_with("Cargo.lock"));
    for lock in all.filter(|path| path.parent() != Some(&*root())) {
        let text = std::fs::read_to_string(&lock).expect("a lock file can be read");
        for package in text.split("[[package]]") {
            let mut quoted = package.lines().filter_map(|line| line.strip_prefix("name = "));
            let Some(name) = quoted.next().map(|name| name.trim_matches('"')) else { continue };
            if !own.contains(name) {
                continue;
            }
            let lines = package.lines().filter_map(|line| line.strip_prefix(" \""));
            let first = |line: &str| line.split([' ', '"']).next().map(str::to_owned);
            let locked: BTreeSet<String> = lines.filter_map(first).collect();
            let manifest = read(&format!("crates/{name}/Cargo.toml"));
            let named = names_under(&manifest, "dependencies");
            if locked != named.iter().map(|name| package_of(name)).collect() {
                wrong.push(format!("{}: {name}", lock.display()));
            }
        }
    }
    none(&wrong, "lock files that cargo would change (cargo metadata in their folder does)");
}

/// *Scenario:* the pages of docs/ beside the list at the end of the README.
/// *Guarantees:* each can be found from there.
#[test]
fn pages_are_listed() {
    let readme = read("README.md");
    let pages = files().into_iter().filter(|path| path.parent() == Some(&*root().join("docs")));
    let names = pages.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let missing: Vec<String> =
        names.filter(|name| !readme.contains(&format!("](docs/{name})"))).collect();
    none(&missing, "pages that README.md does not list");
}

/// *Scenario:* every page that a source file names; a README may be of any folder.
/// *Guarantees:* it is here: a reader can look it up.
#[test]
fn pages_that_are_named_exist() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
        for word in text.split(|c| !is_part(c)) {
            let page = word.trim_start_matches("../").trim_end_matches('.');
            let named = page.strip_suffix(".md");
            let named = named.is_some_and(|name| !name.is_empty() && !name.ends_with("README"));
            let places = [root().join(page), root().join("docs").join(page)];
            if named && !places.iter().any(|place| place.is_file()) {
                wrong.push(format!("{}: {page}", path.display()));
            }
        }
    }
    none(&wrong, "pages that are not here");
}

/// *Scenario:* a region of every partition of AWS.
/// *Guarantees:* the ARNs that points are given and those of AWS's own calls begin alike.
#[test]
fn partitions_are_told_alike() {
    let regions = [
        "eu-west-1",
        "us-east-1",
        "cn-north-1",
        "us-gov-east-1",
        "eusc-de-east-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "us-isof-south-1",
        "eu-isof-west-1",
        "",
    ];
    for region in regions {
        assert_eq!(
            metric::partition(region.as_bytes()),
            aws::arn::partition(region).name,
            "{region}"
        );
    }
}

/// *Scenario:* docs/metrics.md beside the metrics that the admin port registers.
/// *Guarantees:* each is in a row there, and no row is about one that is gone.
#[test]
fn metrics_are_documented() {
    let page = read("docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `hydrant_")?.split_once('`'));
    let name_of = |text: &str| text.split('{').next().unwrap_or(text).to_owned();
    let documented: BTreeSet<String> =
        rows.map(|(name, _)| format!("hydrant_{}", name_of(name))).collect();
    let known: BTreeSet<String> =
        hydrant::admin::METRICS.iter().map(|(name, _kind, _help)| (*name).to_owned()).collect();
    let missing: Vec<_> = known.difference(&documented).cloned().collect();
    let stale: Vec<_> = documented.difference(&known).cloned().collect();
    none(&missing, "not in docs/metrics.md");
    none(&stale, "in docs/metrics.md, but in no code");
}

/// *Scenario:* every error code in the sources beside docs/error-codes.md.
/// *Guarantees:* whatever Hydrant writes as a code has its row with cause and remedy, and what its
/// destinations write is said to be from Hydrant.
#[test]
fn error_codes_are_explained() {
    let known: BTreeMap<&str, &str> =
        hydrant::doctor::all_codes().map(|row| (row.code, row.from)).collect();
    let mut missing = BTreeSet::new();
    let mut written = 0;
    for (path, text) in sources() {
        let shipped = path.components().any(|part| part.as_os_str() == "src");
        let command = path.components().any(|part| part.as_os_str() == "doctor");
        if is_test(&path) || !shipped || command {
            continue;
        }
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
        for word in text.split('"').skip(1) {
            let family = ["HttpEndpoint.", "S3.", "Lambda.", "Hydrant.", "Dynatrace.", "File."];
            let is_code = family.iter().any(|family| {
                word.strip_prefix(family).is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_ascii_uppercase())
                        && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
                })
            });
            if is_code {
                written += 1;
                let ours = path.components().any(|part| part.as_os_str() == "delivery");
                if known.get(word).is_none_or(|from| ours && !from.contains("Hydrant")) {
                    missing.insert(word.to_owned());
                }
            }
        }
    }
    assert!(written > 30, "the search finds {written} codes only");
    none(
        &missing.into_iter().collect::<Vec<_>>(),
        "codes not in docs/error-codes.md, or not as from Hydrant",
    );
}
