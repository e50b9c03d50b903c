//! What an operator may choose.

use std::net::IpAddr;

/// How many workers there are and where they listen.
#[derive(Debug, Clone)]
pub struct WorkersConfig {
    /// 0 is one per core, at least one.
    pub workers: usize,
    /// Addresses to listen on; empty is all.
    pub listen: Vec<IpAddr>,
    /// Worker *i* listens on `port` + *i*, UDP and TCP; 0 takes free numbers.
    pub port: u16,
    /// Addresses advertised to clients; empty is those of the interfaces without loopback.
    pub advertise: Vec<IpAddr>,
    /// Advertise loopback addresses, too. They are advertised anyway where there is nothing else.
    pub include_loopback: bool,
    /// Pin each worker to a core.
    pub pin: bool,
    /// Use segmentation offload where the kernel has it. Off is for network drivers that lie.
    pub gso: bool,
}

impl Default for WorkersConfig {
    fn default() -> WorkersConfig {
        WorkersConfig {
            workers: 0,
            listen: Vec::new(),
            port: 0,
            advertise: Vec::new(),
            include_loopback: false,
            pin: true,
            gso: true,
        }
    }
}
