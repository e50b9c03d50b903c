//! Connections through a relay: each ends here, and another one leads on. Bytes pass in segments, in order; a lost one is
//! sent again, and all behind it waits.

use super::Shared;
use crate::lab::Direction;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;

/// Bytes of a segment, and those of its headers.
const SEGMENT: usize = 1200;
const HEADERS: usize = 52;
/// The least retransmission timeout of Linux.
const REPEAT_AFTER: Duration = Duration::from_millis(200);
/// What one direction of a connection has on its way at most: the sender waits then, as TCP's window has it.
const WINDOW: usize = 128 * 1024;

/// Accepts connections that lead to `target`; returns where.
pub(super) async fn open(
    listen: SocketAddr,
    target: SocketAddr,
    shared: Arc<Shared>,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            tokio::spawn(join(client, target, Arc::clone(&shared)));
        }
    });
    Ok(address)
}

async fn join(client: TcpStream, target: SocketAddr, shared: Arc<Shared>) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = server.into_split();
    tokio::spawn(carry(client_reads, server_writes, Direction::Up, Arc::clone(&shared)));
    tokio::spawn(carry(server_reads, client_writes, Direction::Down, shared));
    Ok(())
}

async fn carry(mut from: OwnedReadHalf, to: OwnedWriteHalf, direction: Direction, shared: Arc<Shared>) {
    let window = Arc::new(Semaphore::new(WINDOW));
    let (arrive, arrived) = unbounded_channel::<Vec<u8>>();
    tokio::spawn(write(arrived, to, Arc::clone(&window)));
    let mut bytes = [0; SEGMENT];
    let mut before = Instant::now();
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let Ok(permit) = window.acquire_many(length as u32).await else { return };
        permit.forget();
        let arrives = loop {
            match shared.segment(Instant::now(), direction, length + HEADERS) {
                Some(arrives) => break arrives.max(before),
                None => sleep(REPEAT_AFTER).await,
            }
        };
        before = arrives;
        let (arrive, segment) = (arrive.clone(), bytes[..length].to_vec());
        // Where the other end has closed, nobody takes it.
        shared.courier.carry(arrives, move || drop(arrive.send(segment)));
    }
}

/// Until all has arrived that was sent, then the connection ends this way.
async fn write(mut arrived: UnboundedReceiver<Vec<u8>>, mut to: OwnedWriteHalf, window: Arc<Semaphore>) {
    while let Some(segment) = arrived.recv().await {
        if to.write_all(&segment).await.is_err() {
            window.close();
            return;
        }
        window.add_permits(segment.len());
    }
    let _closed = to.shutdown().await;
}
