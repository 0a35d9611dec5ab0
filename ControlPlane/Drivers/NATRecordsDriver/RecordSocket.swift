// SPDX-License-Identifier: Apache-2.0
// A connected socket, used with deadlines from one thread: datagrams whose refusal by ICMP is noticed, and streams that know what the
// peer's kernel has acknowledged.

import Foundation

final class RecordSocket {
    /// For connecting, for room to write, for acknowledgements.
    static let patience = 10.0

    private let descriptor: Int32

    /// Connects.
    init(host: String, port: Int, isStream: Bool, isStopped: () -> Bool) throws(DeliveryFailure) {
        var hints = addrinfo()
        hints.ai_socktype = Int32((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let answer = getaddrinfo(host, "\(port)", &hints, &found)
        guard answer == 0, let address = found else {
            throw DeliveryFailure("\(host): \(String(cString: gai_strerror(answer)))")
        }
        defer { freeaddrinfo(found) }
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype | flags, 0)
        guard descriptor >= 0 else { throw .system("socket") }
        self.descriptor = descriptor
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) != 0 else { return }
        guard errno == EINPROGRESS else { throw .system("\(host):\(port)") }
        try Self.await(descriptor, POLLOUT, "\(host):\(port) does not answer", isStopped)
        try self.checkError("\(host):\(port)")
    }

    deinit { close(self.descriptor) }

    /// Throws what the kernel has heard of the peer since it was asked last.
    func checkError(_ what: String) throws(DeliveryFailure) {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 else { throw .system(what) }
        guard error == 0 else { throw DeliveryFailure("\(what): \(String(cString: strerror(error)))") }
    }

    /// Throws if the peer has closed the stream; it has nothing to say otherwise.
    func checkOpen() throws(DeliveryFailure) {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = recv(self.descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        if count == 0 { throw DeliveryFailure("the peer has closed the connection") }
        if count < 0, errno != EAGAIN, errno != EINTR { throw .system("the connection") }
    }

    func send(datagram: [UInt8]) throws(DeliveryFailure) {
        while true {
            let count = datagram.withUnsafeBytes {
                Foundation.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count == datagram.count { return }
            guard count < 0, errno == EAGAIN || errno == EINTR || errno == ENOBUFS else { throw .system("sending") }
            try Self.await(self.descriptor, POLLOUT, "no room to send") { false }
        }
    }

    /// Returns when the peer's kernel has acknowledged everything.
    func send(stream bytes: [UInt8], isStopped: () -> Bool) throws(DeliveryFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN {
                try Self.await(self.descriptor, POLLOUT, "the peer does not read", isStopped)
            } else if count == 0 || errno != EINTR {
                throw .system("sending")
            }
        }
        try self.awaitAcknowledgement(isStopped)
    }

    private func awaitAcknowledgement(_ isStopped: () -> Bool) throws(DeliveryFailure) {
        let end = Date(timeIntervalSinceNow: Self.patience)
        var pause: UInt32 = 100
        while !isStopped(), Date() < end {
            var unacknowledged: Int32 = 0
            guard ioctl(self.descriptor, UInt(TIOCOUTQ), &unacknowledged) == 0 else { throw .system("the connection") }
            if unacknowledged == 0 { return try self.checkError("the connection") }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
        throw DeliveryFailure("the peer does not acknowledge")
    }

    private static func await(
        _ descriptor: Int32, _ events: Int32, _ otherwise: String, _ isStopped: () -> Bool
    ) throws(DeliveryFailure) {
        let end = Date(timeIntervalSinceNow: Self.patience)
        while !isStopped(), Date() < end {
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            if poll(&entry, 1, 100) > 0 { return }
        }
        throw DeliveryFailure(otherwise)
    }
}
