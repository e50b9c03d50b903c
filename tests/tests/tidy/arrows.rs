//! Which module names which: how arrows are read from a source file, and held against a table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What each folder or file may name beside itself; the first row that holds a file counts. A row names only rows
/// below it, so no arrow runs back up.
pub type Table = &'static [(&'static str, &'static [&'static str])];

/// A file as tables know it, folders apart by `/` and without its ending, and the files or folders it names.
pub type Arrows = (String, Vec<String>);

fn is_in(name: &str, folder: &str) -> bool {
    Path::new(name).starts_with(folder)
}

/// Rows that name what is not below them.
pub fn rows_that_name_up(table: Table) -> Vec<&'static str> {
    let above = |(place, (_, allowed)): &(usize, &(&str, &'static [&str]))| {
        allowed.iter().any(|name| !table[place + 1..].iter().any(|(row, _)| row == name))
    };
    table.iter().enumerate().filter(above).map(|(_, (row, _))| *row).collect()
}

/// What a file names that its row does not allow.
pub fn wrong(table: Table, (file, names): &Arrows) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    let Some((own, allowed)) = table.iter().find(|(row, _)| is_in(file, row)) else {
        return vec![format!("{file} has no row")];
    };
    let is_wrong = |name: &&String| !is_in(name, own) && !allowed.iter().any(|row| is_in(name, row));
    names.iter().filter(is_wrong).map(|name| format!("{file} -> {name}")).collect()
}

/// Circles among the files and folders that stand beside each other in one folder. A file and the folder of its name
/// are one, and a part may name the whole.
pub fn circles(arrows: &[Arrows]) -> Vec<String> {
    let mut folders: BTreeMap<String, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (file, name) in arrows.iter().flat_map(|(file, names)| names.iter().map(move |name| (file, name))) {
        let shared = file.split('/').zip(name.split('/')).take_while(|(a, b)| a == b).count();
        let (from, to) = (file.split('/').nth(shared), name.split('/').nth(shared));
        if let (Some(from), Some(to)) = (from, to) {
            let folder = file.split('/').take(shared).collect::<Vec<_>>().join("/");
            folders.entry(folder).or_default().entry(from).or_default().insert(to);
        }
    }
    folders.iter().flat_map(|(folder, graph)| circles_of(folder, graph)).collect()
}

/// The names that lead back to themselves, each with the next step of the way.
fn circles_of(folder: &str, graph: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let reaches = |from: &str, goal: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            if at == goal {
                return true;
            }
            if seen.insert(at) {
                open.extend(graph.get(at).into_iter().flatten());
            }
        }
        false
    };
    let steps = graph.iter().flat_map(|(from, names)| names.iter().map(move |to| (*from, *to)));
    let back = steps.filter(|(from, to)| reaches(to, from));
    back.map(|(from, to)| format!("{folder}: {from} -> {to} -> … -> {from}")).collect()
}

/// What a file of the page imports.
pub fn of_typescript(file: &str, text: &str) -> Arrows {
    let resolve = |import: &str| {
        let mut path: Vec<&str> = file.split('/').collect();
        path.pop();
        for step in import.split('/') {
            match step {
                "." => {}
                ".." => drop(path.pop()),
                name => path.push(name),
            }
        }
        path.join("/")
    };
    let imports = text.split('\'').filter(|quoted| quoted.starts_with("./") || quoted.starts_with("../"));
    (file.to_owned(), imports.map(resolve).collect())
}

/// What the modules of a crate name of it, in `use` lines and elsewhere. `sources` are files below its `src/` with
/// their text.
pub fn of_rust(sources: &[(String, String)]) -> Vec<Arrows> {
    let files: Vec<(Vec<&str>, &str)> =
        sources.iter().map(|(file, text)| (module(file), text.as_str())).collect();
    let modules: BTreeSet<&[&str]> = files.iter().map(|(module, _)| module.as_slice()).collect();
    let name = |module: &[&str]| if module.is_empty() { "lib".to_owned() } else { module.join("/") };
    let known = |path: Vec<&str>| {
        let length = (0..=path.len()).rev().find(|length| modules.contains(&path[..*length]));
        name(&path[..length.unwrap_or(0)])
    };
    let arrows = |(module, text): &(Vec<&str>, &str)| {
        let names: BTreeSet<String> = paths(module, text).into_iter().map(known).collect();
        (name(module), names.into_iter().collect())
    };
    files.iter().map(arrows).collect()
}

/// The module of a file: `rtp/mod.rs` is `rtp`, `lib.rs` has no name, `forward/switch_tests.rs` is `forward/switch/tests`.
fn module(file: &str) -> Vec<&str> {
    let file = file.strip_suffix(".rs").unwrap_or(file);
    let file = file.strip_suffix("/mod").unwrap_or(file);
    match file.strip_suffix("_tests") {
        Some(tested) => tested.split('/').chain(["tests"]).collect(),
        None => file.split('/').filter(|name| *name != "lib").collect(),
    }
}

/// Paths from the root of the crate that a module's text names by `crate::`, `super::` and `self::`. The text is
/// formatted: a module in it begins and ends at the left margin.
fn paths<'a>(module: &[&'a str], text: &'a str) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut place = module.to_vec();
    let mut rest = text;
    while let Some(line) = rest.lines().next() {
        let code = line.split("//").next().unwrap_or_default();
        if let Some(inner) = code.strip_prefix("mod ").and_then(|code| code.strip_suffix(" {")) {
            place.push(inner);
        } else if line == "}" {
            place.truncate(module.len());
        }
        for (at, _) in code.match_indices("::") {
            let word = code[..at].rsplit(|c: char| !is_part(c)).next().unwrap_or_default();
            let is_first = !code[..at - word.len()].ends_with("::");
            let start = match word {
                "crate" => Vec::new(),
                "super" => place[..place.len().saturating_sub(1)].to_vec(),
                "self" => place.clone(),
                _ => continue,
            };
            if is_first {
                tree(start, &mut Words(&rest[at..]), &mut found);
            }
        }
        rest = rest[line.len()..].strip_prefix('\n').unwrap_or_default();
    }
    found
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names and signs of a text, one after the other.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0 = self.0.trim_start();
        let first = self.0.chars().next()?;
        let length = if self.0.starts_with("::") {
            2
        } else if is_part(first) {
            self.0.find(|c| !is_part(c)).unwrap_or(self.0.len())
        } else {
            first.len_utf8()
        };
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(word)
    }
}

/// Reads `::a::{b, c::d}` below `start`; returns the sign after it.
fn tree<'a>(
    mut start: Vec<&'a str>,
    words: &mut Words<'a>,
    found: &mut Vec<Vec<&'a str>>,
) -> Option<&'a str> {
    loop {
        match words.next() {
            Some("::") => match words.next() {
                Some("{") => {
                    while let Some(name) = words.next().filter(|name| *name != "}") {
                        let inner = start.iter().copied().chain([name]).collect();
                        let after = tree(inner, words, found);
                        let ends = |sign: &&str| [",", "}"].contains(sign);
                        // What stands between is another name: `as ours`.
                        if after.filter(ends).or_else(|| words.find(ends)) != Some(",") {
                            break;
                        }
                    }
                    return words.next();
                }
                Some("super") => drop(start.pop()),
                Some(name) if name.starts_with(is_part) => start.push(name),
                other => {
                    found.push(start);
                    return other;
                }
            },
            other => {
                found.push(start);
                return other;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = &[("ui", &["state", "words"]), ("state", &["words"]), ("words", &[])];

    fn arrows(file: &str, names: &[&str]) -> Arrows {
        (file.to_owned(), names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn an_arrow_that_is_in_no_row_is_found() {
        assert_eq!(wrong(TABLE, &arrows("ui/mark", &["ui/sheet", "state/reduce", "words"])), [] as [&str; 0]);
        assert_eq!(wrong(TABLE, &arrows("state", &["ui/mark", "words"])), ["state -> ui/mark"]);
        assert_eq!(wrong(TABLE, &arrows("console", &["words"])), ["console has no row"]);
        assert_eq!(rows_that_name_up(TABLE), [] as [&str; 0]);
        assert_eq!(rows_that_name_up(&[("words", &["ui"]), ("state", &["words"]), ("ui", &[])]), ["state"]);
    }

    #[test]
    fn a_circle_is_found_from_every_file_in_it() {
        let whole_and_parts = [arrows("a", &["a/b", "a/c"]), arrows("a/b", &["a", "a/c"])];
        assert_eq!(circles(&whole_and_parts), [] as [&str; 0]);
        let parts = [arrows("a/b", &["a/c"]), arrows("a/c/d", &["a/b/e"])];
        assert_eq!(circles(&parts), ["a: b -> c -> … -> b", "a: c -> b -> … -> c"]);
        let three = [arrows("a", &["b"]), arrows("b", &["c"]), arrows("c", &["a"]), arrows("d", &["a"])];
        assert_eq!(circles(&three).len(), 3);
    }

    #[test]
    fn imports_of_the_page_are_read() {
        let text =
            "import { words } from '../words';\nimport './mark.css';\nimport { render } from 'preact';\n";
        assert_eq!(of_typescript("ui/mark", text), arrows("ui/mark", &["words", "ui/mark.css"]));
    }

    #[test]
    fn what_rust_names_is_read() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let sources = [
            file("lib.rs", "mod a;\npub mod d;\n"),
            file("a/mod.rs", "use b::B;\nuse crate::{\n    c::{self, C as Other},\n    d::D,\n};\n"),
            file(
                "a/b.rs",
                "/// [`crate::c::C`]\nfn f(at: super::super::d::D) {\n    self::g(crate::Root)\n}\n",
            ),
            file("a/b_tests.rs", "use super::*;\nuse super::super::e::E;\n"),
            file("a/e.rs", "mod tests {\n    use super::super::b::B;\n}\n\nuse super::b::B;\n"),
            file("c.rs", ""),
            file("d.rs", "const C: crate::c::C = a::crate_free();\n"),
        ];
        let expected = [
            arrows("lib", &[]),
            arrows("a", &["c", "d"]),
            arrows("a/b", &["a/b", "d", "lib"]),
            arrows("a/b/tests", &["a/b", "a/e"]),
            arrows("a/e", &["a/b"]),
            arrows("c", &[]),
            arrows("d", &["c"]),
        ];
        assert_eq!(of_rust(&sources), expected);
    }
}
