//! `nhipcau`: serve · demo · join · doctor · links · certificate.

#![deny(clippy::print_stdout, clippy::print_stderr)]
// Nothing that comes from outside can panic us. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use driver::priority::BehindMedia;
use signaling::cli::{self, Commands, DemoArgs, LinksArgs, Parsed, ServeArgs};
use signaling::config::Config;
use signaling::error::{StartCode, StartError};
use signaling::listeners::{Listeners, address_of};
use signaling::media::MediaPort;
use signaling::{certificate, demo, descriptors, doctor, invite, join, log, media, output, run};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let code = begin().unwrap_or_else(|e| {
        log::say(&e.to_string());
        ExitCode::from(e.exit_code())
    });
    log::finish();
    code
}

fn begin() -> Result<ExitCode, StartError> {
    log::open()?;
    match cli::parse(std::env::args_os())? {
        Parsed::Run(cli) => {
            log::start(filter(&cli.command))?;
            on_runtime(cli.command)
        }
        Parsed::Print(text) => output::print(&text).map(|()| ExitCode::SUCCESS),
    }
}

fn on_runtime(command: Commands) -> Result<ExitCode, StartError> {
    let behind = BehindMedia::of_this_process();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().on_thread_start(move || behind.give_way()).build();
    let runtime = runtime.map_err(|e| StartError::new(StartCode::Internal, e.to_string()))?;
    let done = runtime.block_on(carry_out(command, behind));
    // Work that still waits for a disk or a line must not keep the process.
    runtime.shutdown_background();
    done
}

async fn carry_out(command: Commands, behind: BehindMedia) -> Result<ExitCode, StartError> {
    match command {
        Commands::Serve(args) => serve(args, behind).await,
        Commands::Demo(args) => demo(args, behind).await,
        Commands::Join(args) => join::run(args).await,
        Commands::Doctor(args) => doctor::run(&args),
        Commands::Links(args) => links(&args),
        Commands::Certificate(args) => certificate::run(&args),
    }
}

async fn serve(args: ServeArgs, behind: BehindMedia) -> Result<ExitCode, StartError> {
    let mut config = args.settings.load()?;
    if args.print_config {
        output::print(config.printable().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    with_meetings(&config)?;
    let shutdown = shutdown()?;
    descriptors::fit(&mut config)?;
    let listeners = Listeners::open(&config).await?;
    let media = start_media(&config, behind)?;
    let (https, http) = (address_of(&listeners.https)?, address_of(&listeners.http)?);
    let known = config.clone();
    let tell = move || match std::io::stdout().is_terminal() {
        true => announce(invite::text(&known, https, http)),
        // They must not get into a journal: a reader of it could be any site.
        false => Ok(()),
    };
    tell()?;
    follow(&config, https, tell);
    run(config, listeners, media, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the links again when the machine's addresses change.
fn follow(config: &Config, https: SocketAddr, tell: impl Fn() -> Result<(), StartError> + Send + 'static) {
    let config = config.clone();
    let again = move || tell().unwrap_or_else(|e| log::say(&e.to_string()));
    tokio::spawn(async move { invite::follow(&config, https.ip(), again).await });
}

async fn demo(args: DemoArgs, behind: BehindMedia) -> Result<ExitCode, StartError> {
    let shutdown = shutdown()?;
    let mut config = demo::config(&args)?;
    descriptors::fit(&mut config)?;
    let listeners = Listeners::open(&config).await?;
    let media = start_media(&config, behind)?;
    let announcement = demo::announcement(&config, &listeners, &media.addresses)?;
    let _sites = endpoint::demo::start_sites(announcement.headless());
    match args.json {
        true => announce(announcement.json())?,
        false => {
            announce(announcement.text())?;
            let (known, https) = (config.clone(), address_of(&listeners.https)?);
            follow(&config, https, move || announce(announcement.moved(&known, https).text()));
        }
    }
    run(config, listeners, media, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// On the main thread, which gives way to media only then: what it starts inherits its niceness.
fn start_media(config: &Config, behind: BehindMedia) -> Result<MediaPort, StartError> {
    let media = media::start(config)?;
    behind.give_way();
    Ok(media)
}

fn links(args: &LinksArgs) -> Result<ExitCode, StartError> {
    let config = args.settings.load()?;
    with_meetings(&config)?;
    output::print(&invite::text(&config, config.https, config.http))?;
    Ok(ExitCode::SUCCESS)
}

/// A server without a meeting lets no site in, without an obvious reason.
fn with_meetings(config: &Config) -> Result<(), StartError> {
    match config.meetings.is_empty() {
        false => Ok(()),
        true => Err(StartError::config(
            "chưa có cuộc họp nào; ghi [[meetings]] vào tệp cấu hình và chỉ tệp đó bằng --config TỆP, hoặc xem thử bằng: nhipcau demo",
        )),
    }
}

/// Prints where to go. On a thread of its own: the meeting goes on when the output is not read.
fn announce(text: String) -> Result<(), StartError> {
    let printer = std::thread::Builder::new().name("announce".to_owned());
    let printing = printer.spawn(move || {
        if let Err(e) = output::print(&text) {
            log::say(&e.to_string());
        }
    });
    printing.map(drop).map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
}

/// Done at SIGTERM, SIGHUP or Ctrl+C, from the moment it is created: before the address is printed.
fn shutdown() -> Result<impl Future<Output = ()>, StartError> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let hangup = hangup()?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = hangup => {}
        }
    })
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, StartError> {
    signal(kind).map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
}

/// The terminal is closed. With `nohup` the signal is to be ignored.
fn hangup() -> Result<impl Future<Output = ()>, StartError> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut hangups = match ignores(&status, SignalKind::hangup()) {
        true => None,
        false => Some(listen(SignalKind::hangup())?),
    };
    Ok(async move {
        match &mut hangups {
            Some(hangups) => drop(hangups.recv().await),
            None => std::future::pending().await,
        }
    })
}

/// Whether the process was started with a signal ignored, by `SigIgn` of proc(5): bit 0 is signal 1.
fn ignores(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let bit = u32::try_from(kind.as_raw_value()).ok().and_then(|number| number.checked_sub(1));
    mask.zip(bit).and_then(|(mask, bit)| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}

/// A demo and a doctor print their results and log only what is wrong. The webrtc libraries warn of every packet before
/// a handshake; NHIPCAU_LOG shows that.
fn filter(command: &Commands) -> &'static str {
    match command {
        Commands::Serve(_) => "warn,signaling=info,nhipcau=info,rtc=off,rtc_dtls=off,webrtc=off",
        _ => "warn,rtc=off,rtc_dtls=off,webrtc=off",
    }
}
