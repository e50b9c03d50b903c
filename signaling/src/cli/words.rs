//! The command line in its users' language: clap knows English only.

use crate::error::StartError;
use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Arg, ArgAction, Command};

const TEMPLATE: &str = "{about}\n\nCách dùng: {usage}\n\n{all-args}\n";

/// The same command with Vietnamese headings, usage and remarks, and so each command in it.
pub(super) fn in_vietnamese(command: Command) -> Command {
    let name = command.get_name().to_owned();
    localised(command, &name)
}

fn localised(command: Command, path: &str) -> Command {
    let usage = usage(&command, path);
    let is_root = command.has_subcommands();
    let command = command
        .help_template(TEMPLATE)
        .override_usage(usage)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .subcommand_help_heading("Lệnh")
        .mut_args(|arg| remarked(arg).help_heading("Tham số"))
        .mut_subcommands(|sub| {
            let path = format!("{path} {}", sub.get_name());
            localised(sub, &path)
        })
        .arg(own_flag("help", 'h', ArgAction::Help, "In phần trợ giúp này"));
    match is_root {
        true => command.arg(own_flag("version", 'V', ArgAction::Version, "In phiên bản")),
        false => command,
    }
}

fn own_flag(name: &'static str, short: char, action: ArgAction, help: &'static str) -> Arg {
    Arg::new(name).short(short).long(name).action(action).help(help).help_heading("Tham số")
}

fn usage(command: &Command, path: &str) -> String {
    let places = command.get_positionals().map(|arg| format!(" <{}>", place(arg)));
    let rest: String = match command.has_subcommands() {
        true => " <LỆNH>".to_owned(),
        false => places.collect(),
    };
    format!("{path} [THAM SỐ]{rest}")
}

fn place(arg: &Arg) -> String {
    let names = arg.get_value_names().and_then(|names| names.first());
    names.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string)
}

/// What clap would add in English: default, choice, variable.
fn remarked(arg: Arg) -> Arg {
    let mut remarks = Vec::new();
    let values = arg.get_possible_values();
    let values: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        remarks.push(format!("một trong: {}", values.join(", ")));
    }
    if let Some(value) = arg.get_default_values().first().filter(|_| arg.get_action().takes_values()) {
        remarks.push(format!("mặc định: {}", value.to_string_lossy()));
    }
    if let Some(variable) = arg.get_env() {
        remarks.push(format!("biến môi trường: {}", variable.to_string_lossy()));
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let help = match remarks.is_empty() {
        true => help,
        false => format!("{help} [{}]", remarks.join("; ")),
    };
    let takes_values = arg.get_action().takes_values();
    arg.help(help).hide_default_value(takes_values).hide_possible_values(takes_values).hide_env(takes_values)
}

/// What is wrong with a command line, in one sentence.
pub(super) fn sentence(error: &Error) -> StartError {
    let of = |kind| error.get(kind).map(text).unwrap_or_default();
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => format!("không có lệnh \"{}\"", of(ContextKind::InvalidSubcommand)),
        ErrorKind::UnknownArgument => format!("không có tham số \"{argument}\""),
        ErrorKind::MissingRequiredArgument => format!("thiếu {argument}"),
        ErrorKind::ArgumentConflict => {
            format!("{argument} và {} không đi với nhau hoặc lặp lại", of(ContextKind::PriorArg))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} thiếu giá trị"),
        ErrorKind::InvalidValue => {
            format!("{argument}: không nhận \"{value}\", chỉ nhận {}", of(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => format!("{argument}: giá trị \"{value}\" không hợp lệ"),
        ErrorKind::InvalidUtf8 => "dòng lệnh không phải UTF-8".to_owned(),
        _ => "dòng lệnh không đúng".to_owned(),
    };
    let near = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let near = near.map(of).into_iter().find(|near| !near.is_empty());
    let near = near.map(|near| format!(" (có phải {near}?)")).unwrap_or_default();
    StartError::config(format!("{what}{near}; xem: nhipcau --help"))
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, Parsed, parse};
    use clap::CommandFactory;

    fn printed(line: &[&str]) -> String {
        match parse([&["nhipcau"], line].concat()) {
            Ok(Parsed::Print(text)) => text,
            Ok(Parsed::Run(cli)) => panic!("{cli:?}"),
            Err(e) => panic!("{e}"),
        }
    }

    #[test]
    fn help_is_vietnamese_from_its_first_line() {
        let root = printed(&["--help"]);
        assert!(root.starts_with("Nhịp Cầu: cầu truyền hình tự quản"), "{root}");
        let names: Vec<_> = Cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
        assert!(names.len() >= 4, "{names:?}");
        let pages = names.iter().map(|name| printed(&[name, "--help"])).chain([root, printed(&[])]);
        let english =
            ["Usage", "Options", "Commands", "Arguments", "Print", "default", "possible", "env:", "Try"];
        for page in pages {
            assert!(page.contains("Cách dùng: nhipcau") && page.contains("Tham số:"), "{page}");
            for word in english {
                assert!(!page.contains(word), "{word} in {page}");
            }
        }
        assert!(printed(&["join", "--help"]).contains("[mặc định: 10]"));
        assert!(printed(&["serve", "--help"]).contains("biến môi trường: NHIPCAU_CONFIG"));
        assert_eq!(printed(&["--version"]).trim(), concat!("nhipcau ", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_wrong_command_line_is_one_vietnamese_sentence() {
        let table = [
            (&["sever"][..], "không có lệnh \"sever\" (có phải serve?)"),
            (&["serve", "--https-port", "1"], "không có tham số \"--https-port\""),
            (&["serve", "--http"], "--http <GIÁ TRỊ> thiếu giá trị"),
            (&["join"], "thiếu <LIÊN KẾT>"),
            (&["join", "x", "--report", "xml"], "chỉ nhận text, json"),
            (&["join", "x", "--slots", "99"], "giá trị \"99\" không hợp lệ"),
            (&["join", "x", "--insecure", "--ca", "f"], "không đi với nhau"),
            (&["doctor", "--json", "--json"], "lặp lại"),
        ];
        for (line, expected) in table {
            let error = parse([&["nhipcau"], line].concat()).expect_err("wrong");
            assert!(error.sentence.contains(expected), "{error}");
            assert!(error.sentence.ends_with("xem: nhipcau --help"), "{error}");
            assert_eq!((error.to_string().lines().count(), error.exit_code()), (1, 2));
        }
    }
}
