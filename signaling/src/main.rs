//! `nhipcau`: serve · demo · join · doctor.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use clap::Parser;
use signaling::cli::{Cli, Commands, DemoArgs, ServeArgs};
use signaling::config::Config;
use signaling::demo::Announcement;
use signaling::error::{StartCode, StartError};
use signaling::listeners::Listeners;
use signaling::media::MediaPort;
use signaling::{demo, doctor, endpoint, log, media, output, run};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = log::start(filter(&cli.command)).and_then(|()| on_runtime(cli.command));
    let code = done.unwrap_or_else(|e| {
        log::say(&e.to_string());
        ExitCode::from(e.exit_code())
    });
    log::finish();
    code
}

fn on_runtime(command: Commands) -> Result<ExitCode, StartError> {
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.map_err(|e| StartError::new(StartCode::Internal, e.to_string()))?;
    let done = runtime.block_on(carry_out(command));
    // Whatever still waits for a disk or a line must not keep the process.
    runtime.shutdown_background();
    done
}

async fn carry_out(command: Commands) -> Result<ExitCode, StartError> {
    match command {
        Commands::Serve(args) => serve(args).await,
        Commands::Demo(args) => demo(args).await,
        Commands::Join(args) => endpoint::join::run(args).await,
        Commands::Doctor(args) => doctor::run(&args),
    }
}

async fn serve(args: ServeArgs) -> Result<ExitCode, StartError> {
    let config = args.settings.load()?;
    if args.print_config {
        output::print(config.printable().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let listeners = Listeners::open(&config).await?;
    let media = media::start(&config)?;
    start(config, listeners, media).await
}

async fn demo(args: DemoArgs) -> Result<ExitCode, StartError> {
    let config = demo::config(&args)?;
    let listeners = Listeners::open(&config).await?;
    let media = media::start(&config)?;
    let announcement = demo::announcement(&config, &listeners, &media.addresses)?;
    let _sites = endpoint::demo::start_sites(announcement.headless());
    announce(&announcement, args.json)?;
    start(config, listeners, media).await
}

/// Tells where the demo is. On a thread of its own: the meeting goes on when nobody reads that.
fn announce(announcement: &Announcement, json: bool) -> Result<(), StartError> {
    let text = match json {
        true => announcement.json(),
        false => announcement.text(),
    };
    let printer = std::thread::Builder::new().name("announce".to_owned());
    let printing = printer.spawn(move || {
        if let Err(e) = output::print(&text) {
            log::say(&e.to_string());
        }
    });
    printing.map(drop).map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
}

/// Serves until SIGTERM, SIGHUP or Ctrl+C.
async fn start(config: Config, listeners: Listeners, media: MediaPort) -> Result<ExitCode, StartError> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let hangup = hangup()?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = hangup => {}
        }
    };
    run(config, listeners, media, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, StartError> {
    signal(kind).map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
}

/// The terminal is closed. Whoever starts us with `nohup` does not want to hear of it.
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
    mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}

/// A demo and a doctor speak for themselves and log only what is wrong. The webrtc libraries warn of
/// every packet before a handshake; whoever looks for that asks for it with NHIPCAU_LOG.
fn filter(command: &Commands) -> &'static str {
    match command {
        Commands::Serve(_) => "warn,signaling=info,nhipcau=info,rtc=off,rtc_dtls=off,webrtc=off",
        _ => "warn,rtc=off,rtc_dtls=off,webrtc=off",
    }
}
