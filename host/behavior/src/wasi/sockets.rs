//! Sockets: a guest gets none. Linked by [`super`].

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::{io, sockets, sync};
use wasmtime_wasi::p2::{Network, SocketError, SocketResult, TcpSocket, UdpSocket};

use super::Wasi;

impl sockets::network::Host for Wasi {
    fn convert_error_code(
        &mut self,
        error: SocketError,
    ) -> wasmtime::Result<sockets::network::ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        _: Resource<io::error::Error>,
    ) -> wasmtime::Result<Option<sockets::network::ErrorCode>> {
        Ok(None)
    }
}

impl sockets::network::HostNetwork for Wasi {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl sockets::tcp_create_socket::Host for Wasi {
    fn create_tcp_socket(
        &mut self,
        _: sockets::network::IpAddressFamily,
    ) -> SocketResult<Resource<TcpSocket>> {
        Err(sockets::network::ErrorCode::AccessDenied.into())
    }
}

impl sync::sockets::udp_create_socket::Host for Wasi {
    fn create_udp_socket(
        &mut self,
        _: sockets::network::IpAddressFamily,
    ) -> SocketResult<Resource<UdpSocket>> {
        Err(sockets::network::ErrorCode::AccessDenied.into())
    }
}
