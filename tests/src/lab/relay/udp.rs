//! Datagrams through a relay: each client has a socket of its own towards the server.

use super::{Shared, hold};
use crate::lab::Direction;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::net::UdpSocket;

/// A client, and what the server sees of it.
struct Flow {
    socket: Arc<UdpSocket>,
    /// Reads what the server sends there.
    reader: tokio::task::JoinHandle<()>,
}

/// One address that clients send to.
pub(super) struct Door {
    listener: Arc<UdpSocket>,
    target: SocketAddr,
    flows: Mutex<HashMap<SocketAddr, Flow>>,
    shared: Arc<Shared>,
}

impl Door {
    pub async fn open(listen: SocketAddr, target: SocketAddr, shared: Arc<Shared>) -> io::Result<Arc<Door>> {
        let listener = Arc::new(UdpSocket::bind(listen).await?);
        let door = Arc::new(Door { listener, target, flows: Mutex::default(), shared });
        tokio::spawn(Arc::clone(&door).listen());
        Ok(door)
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Every client gets another socket with its next datagram.
    pub fn rebind(&self) {
        hold(&self.flows).drain().for_each(|(_, flow)| flow.reader.abort());
    }

    async fn listen(self: Arc<Door>) {
        let mut bytes = vec![0; 65_536];
        loop {
            // An error is one datagram's: of a port that is closed at the other end.
            let Ok((length, client)) = self.listener.recv_from(&mut bytes).await else { continue };
            let Ok(socket) = self.socket_of(client).await else { continue };
            self.pass(Direction::Up, &bytes[..length], move |datagram| {
                let _lost = socket.try_send(datagram);
            });
        }
    }

    async fn socket_of(self: &Arc<Door>, client: SocketAddr) -> io::Result<Arc<UdpSocket>> {
        if let Some(flow) = hold(&self.flows).get(&client) {
            return Ok(Arc::clone(&flow.socket));
        }
        let any: SocketAddr = if self.target.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = Arc::new(UdpSocket::bind(any).await?);
        socket.connect(self.target).await?;
        let reader = tokio::spawn(Arc::clone(self).read(client, Arc::clone(&socket)));
        hold(&self.flows).insert(client, Flow { socket: Arc::clone(&socket), reader });
        Ok(socket)
    }

    /// What the server sends to this client.
    async fn read(self: Arc<Door>, client: SocketAddr, socket: Arc<UdpSocket>) {
        let mut bytes = vec![0; 65_536];
        loop {
            let Ok(length) = socket.recv(&mut bytes).await else { continue };
            let listener = Arc::clone(&self.listener);
            self.pass(Direction::Down, &bytes[..length], move |datagram| {
                let _lost = listener.try_send_to(datagram, client);
            });
        }
    }

    fn pass(&self, direction: Direction, datagram: &[u8], deliver: impl Fn(&[u8]) + Clone + Send + 'static) {
        for arrives in self.shared.datagram(Instant::now(), direction, datagram.len()) {
            let (deliver, datagram) = (deliver.clone(), datagram.to_vec());
            self.shared.courier.carry(arrives, move || deliver(&datagram));
        }
    }
}
