//! A relay with a line of the laboratory between sites and a server. Orders (`tests/src/lab/relay/order.rs`) come by standard input,
//! or by connections to `--control`; each gets a line of JSON. For a server that was told `--media-advertise 127.0.0.2`:
//!
//!     relay --udp 127.0.0.2:50000=127.0.0.1:50000 --tcp 127.0.0.2:8080=127.0.0.1:8080 --order "set both rate 512000 queue 300"

use clap::Parser;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tests::lab::relay::{Order, Relay};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

#[derive(Parser)]
struct Options {
    /// Datagrams: LISTEN=TARGET
    #[arg(long, value_parser = pair)]
    udp: Vec<(SocketAddr, SocketAddr)>,
    /// Connections: LISTEN=TARGET
    #[arg(long, value_parser = pair)]
    tcp: Vec<(SocketAddr, SocketAddr)>,
    /// Orders at the start
    #[arg(long, value_parser = |line: &str| Order::read(line))]
    order: Vec<Order>,
    /// Where orders can be given, too
    #[arg(long)]
    control: Option<SocketAddr>,
    /// Of what is random
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn pair(text: &str) -> Result<(SocketAddr, SocketAddr), String> {
    let (listen, target) = text.split_once('=').ok_or("LISTEN=TARGET")?;
    let address = |text: &str| text.parse().map_err(|_| format!("{text}: no address"));
    Ok((address(listen)?, address(target)?))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let mut relay = Relay::start(options.seed);
    for (listen, target) in options.udp {
        println!("udp {} to {target}", relay.open_udp(listen, target).await?);
    }
    for (listen, target) in options.tcp {
        println!("tcp {} to {target}", relay.open_tcp(listen, target).await?);
    }
    options.order.into_iter().for_each(|order| drop(relay.obey(order)));
    let relay = Arc::new(relay);
    if let Some(control) = options.control {
        let listener = TcpListener::bind(control).await?;
        println!("control {}", listener.local_addr()?);
        tokio::spawn(take_control(listener, Arc::clone(&relay)));
    }
    // Until standard input ends.
    converse(BufReader::new(tokio::io::stdin()), tokio::io::stdout(), &relay).await
}

async fn take_control(listener: TcpListener, relay: Arc<Relay>) -> io::Result<()> {
    loop {
        let (connection, _) = listener.accept().await?;
        let relay = Arc::clone(&relay);
        tokio::spawn(async move {
            let (reads, writes) = connection.into_split();
            converse(BufReader::new(reads), writes, &relay).await
        });
    }
}

async fn converse(
    reads: impl AsyncBufRead + Unpin,
    mut writes: impl AsyncWrite + Unpin,
    relay: &Relay,
) -> io::Result<()> {
    let mut lines = reads.lines();
    while let Some(line) = lines.next_line().await? {
        let said = match Order::read(&line) {
            Ok(order) => relay.obey(order).to_string(),
            Err(why) => serde_json::json!({ "error": why }).to_string(),
        };
        writes.write_all(format!("{said}\n").as_bytes()).await?;
        writes.flush().await?;
    }
    Ok(())
}
