//! The command line: what can be said, and how it becomes settings.

use crate::config::settings::{self, SETTINGS};
use crate::config::{Config, Overrides};
use crate::error::StartError;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

mod words;

/// Nhịp Cầu: cầu truyền hình tự quản.
#[derive(Debug, Parser)]
#[command(name = "nhipcau", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Commands,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Parsed {
    Run(Cli),
    /// Help or version.
    Print(String),
}

/// Reads a command line; a wrong one is one sentence.
pub fn parse<T: Into<OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Result<Parsed, StartError> {
    let command = words::in_vietnamese(Cli::command());
    let read = command.try_get_matches_from(line).and_then(|matches| Cli::from_arg_matches(&matches));
    match read {
        Ok(cli) => Ok(Parsed::Run(cli)),
        Err(e) => match e.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Ok(Parsed::Print(e.to_string().trim_end().to_owned()))
            }
            _ => Err(words::sentence(&e)),
        },
    }
}

#[derive(Debug, Subcommand)]
pub enum Commands {
    /// Chạy máy chủ.
    Serve(ServeArgs),
    /// Chạy thử: máy chủ cùng bốn điểm cầu mẫu.
    Demo(DemoArgs),
    /// Vào họp không cần màn hình, đo đường truyền.
    Join(JoinArgs),
    /// Kiểm tra máy chủ này có sẵn sàng không.
    Doctor(DoctorArgs),
    /// In liên kết vào họp của các điểm cầu trong tệp cấu hình.
    Links(LinksArgs),
    /// Xem chứng thư HTTPS của máy chủ, hoặc thêm tên vào chứng thư tự tạo.
    Certificate(CertificateArgs),
}

#[derive(Debug, Args)]
pub struct LinksArgs {
    #[command(flatten)]
    pub settings: FileArgs,
}

#[derive(Debug, Args)]
pub struct CertificateArgs {
    #[command(flatten)]
    pub settings: FileArgs,
    /// Thêm tên máy hoặc địa chỉ IP vào chứng thư tự tạo, khóa giữ nguyên; dùng được nhiều lần.
    #[arg(long, value_name = "TÊN")]
    pub add: Vec<String>,
    /// In chứng thư dạng PEM, để dùng với nhipcau join --ca.
    #[arg(long, conflicts_with = "add")]
    pub pem: bool,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub settings: FileArgs,
    /// In các thiết lập đang có hiệu lực rồi thoát.
    #[arg(long)]
    pub print_config: bool,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub settings: SettingArgs,
    /// In địa chỉ và liên kết thành một đối tượng JSON ở dòng đầu tiên.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Args)]
pub struct JoinArgs {
    /// Liên kết họp: http(s)://máy-chủ:cổng/#mã
    #[arg(value_name = "LIÊN KẾT")]
    pub link: String,
    /// Thời gian ở trong cuộc họp, tính bằng giây
    #[arg(long, value_name = "GIÂY", default_value_t = 10)]
    pub seconds: u64,
    /// In kết quả dưới dạng nào
    #[arg(long, value_name = "DẠNG", value_enum, default_value_t = ReportFormat::Text)]
    pub report: ReportFormat,
    /// Chấp nhận mọi chứng thư của máy chủ (chỉ dùng trong mạng của mình)
    #[arg(long)]
    pub insecure: bool,
    /// Chỉ tin chứng thư gốc trong tệp PEM này
    #[arg(long, value_name = "TỆP", conflicts_with = "insecure")]
    pub ca: Option<PathBuf>,
    /// Số ô hình nhận về
    #[arg(long, value_name = "SỐ", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub slots: u8,
    /// Vào thay thiết bị khác đang giữ chỗ của điểm cầu này
    #[arg(long)]
    pub takeover: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub settings: FileArgs,
    /// In kết quả thành một đối tượng JSON.
    #[arg(long)]
    pub json: bool,
    /// Ngôn ngữ của kết quả.
    #[arg(long, value_name = "NGÔN NGỮ", value_enum, default_value_t = Language::Vi)]
    pub lang: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Vi,
    En,
}

/// `--config` and the settings that outweigh the file.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// Tệp cấu hình TOML
    #[arg(long, short, env = "NHIPCAU_CONFIG", value_name = "TỆP")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingArgs,
}

impl FileArgs {
    /// The settings in force.
    pub fn load(&self) -> Result<Config, StartError> {
        Config::load(self.config.as_deref(), &environment()?, &self.settings.flags)
    }
}

/// One flag for every setting.
#[derive(Debug, Clone, Default)]
pub struct SettingArgs {
    flags: Overrides,
}

impl SettingArgs {
    /// The settings in force for a command that brings its own meetings and data folder.
    pub fn load_over(&self, base: Config) -> Result<Config, StartError> {
        base.overlay(&environment()?, &self.flags)
    }
}

fn environment() -> Result<Overrides, StartError> {
    settings::from_environment(std::env::vars())
}

/// The flags' names in the order of the settings: clap keeps what it is given for ever.
static FLAGS: LazyLock<Vec<String>> =
    LazyLock::new(|| SETTINGS.iter().map(|s| settings::flag(s.key)).collect());

impl Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        let flags = SETTINGS.iter().zip(FLAGS.iter()).map(|(setting, flag)| {
            Arg::new(setting.key).long(flag.as_str()).value_name("GIÁ TRỊ").help(setting.help)
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = SETTINGS.iter().filter_map(|setting| {
            let value = matches.get_one::<String>(setting.key)?;
            Some((setting.key.to_owned(), value.clone()))
        });
        Ok(SettingArgs { flags: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_flag() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["nhipcau", "serve", "--limits-connections", "5", "--http", "[::1]:0"]);
        let Commands::Serve(args) = cli.command else {
            panic!("serve");
        };
        let config = args.settings.load().expect("valid");
        assert_eq!(config.limits.connections, 5);
        assert!(config.http.is_ipv6());
    }

    #[test]
    fn a_demo_reads_no_file_and_says_so() {
        assert!(Cli::try_parse_from(["nhipcau", "serve", "--config", "a.toml"]).is_ok());
        assert!(Cli::try_parse_from(["nhipcau", "demo", "--config", "a.toml"]).is_err());
    }
}
