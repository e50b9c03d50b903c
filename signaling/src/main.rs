//! `nhipcau`: serve · demo · join · doctor.

use clap::Parser;
use signaling::cli::{Cli, Commands, DemoArgs, ServeArgs};
use signaling::config::Config;
use signaling::error::{StartCode, StartError};
use signaling::listeners::Listeners;
use signaling::media::MediaPort;
use signaling::{demo, doctor, endpoint, media, run};
use std::io::IsTerminal;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging(&cli.command);
    let runtime = tokio::runtime::Runtime::new();
    let done = runtime
        .map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
        .and_then(|runtime| runtime.block_on(carry_out(cli.command)));
    done.unwrap_or_else(|e| {
        eprintln!("{e}");
        ExitCode::from(e.exit_code())
    })
}

async fn carry_out(command: Commands) -> Result<ExitCode, StartError> {
    match command {
        Commands::Serve(args) => serve(args).await,
        Commands::Demo(args) => demo(args).await,
        Commands::Join(args) => Ok(endpoint::join::run(args).await),
        Commands::Doctor(args) => Ok(doctor::run(&args)),
    }
}

async fn serve(args: ServeArgs) -> Result<ExitCode, StartError> {
    let config = args.settings.load()?;
    if args.print_config {
        print!("{}", config.printable());
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
    println!(
        "{}",
        match args.json {
            true => announcement.json(),
            false => announcement.text(),
        }
    );
    start(config, listeners, media).await
}

/// Serves until SIGTERM or Ctrl+C.
async fn start(config: Config, listeners: Listeners, media: MediaPort) -> Result<ExitCode, StartError> {
    let internal = |e: std::io::Error| StartError::new(StartCode::Internal, e.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(internal)?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    run(config, listeners, media, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// Logs go to standard error: standard output is for what was asked for. A demo and a doctor speak
/// for themselves and log only what is wrong. The webrtc libraries warn of every packet before a
/// handshake; whoever looks for that asks for it with NHIPCAU_LOG.
fn start_logging(command: &Commands) {
    let filter = match command {
        Commands::Serve(_) => "warn,signaling=info,nhipcau=info,rtc=off,rtc_dtls=off,webrtc=off",
        _ => "warn,rtc=off,rtc_dtls=off,webrtc=off",
    };
    let filter = std::env::var("NHIPCAU_LOG").unwrap_or_else(|_| filter.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
