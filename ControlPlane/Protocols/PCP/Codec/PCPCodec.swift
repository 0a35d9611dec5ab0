// SPDX-License-Identifier: Apache-2.0
// Port Control Protocol and NAT-PMP on the wire: which of the two a datagram is, what it asks, and the answer's bytes.
//
// Supported standards: RFC 6887 (7, 8.2, 8.3, 9, 11.1, 13.2, 14.1), RFC 6886 (3.2, 3.3, 3.4, 3.5). PEER and the options THIRD_PARTY
// and FILTER are refused by name.

import BNGCore

/// Reads requests and writes answers.
public enum PCPCodec {
    /// Port of servers; clients listen on the one below (RFC 6887 19).
    public static let serverPort: UInt16 = 5_351
    /// Bytes of a message at most (RFC 6887 7).
    public static let messageLimit = 1_100
    static let version: UInt8 = 2
    private static let headerLength = 24
    private static let mapLength = 36
    private static let preferFailure: UInt8 = 2
    private enum Opcode { static let (announce, map) = (UInt8(0), UInt8(1)) }

    /// nil: no request, to which nothing is answered (RFC 6887 8.3, RFC 6886 3.5).
    /// - Parameter source: where the datagram comes from.
    public static func decode(_ bytes: [UInt8], from source: IPv4Address) -> PCPRequest? {
        guard bytes.count >= 2, bytes[1] & 0x80 == 0 else { return nil }
        if bytes[0] == 0 { return self.decodeNATPMP(bytes) }
        let opcode = bytes[1]
        let request = { (question: PCPRequest.Question) in
            PCPRequest(question, isNATPMP: false, bytes: Array(bytes.prefix(Self.messageLimit)), opcode: opcode)
        }
        guard bytes[0] == Self.version else { return request(.wrong(.unsupportedVersion)) }
        guard bytes.count <= Self.messageLimit, bytes.count >= Self.headerLength, bytes.count % 4 == 0 else {
            return request(.wrong(.malformedRequest))
        }
        guard opcode == Opcode.announce || opcode == Opcode.map else { return request(.wrong(.unsupportedOpcode)) }
        // RFC 6887 8.3: another address than the packet's means that something else translates in between.
        guard Self.address(bytes, at: 8) == source else { return request(.wrong(.addressMismatch)) }
        if opcode == Opcode.announce {
            let wrong = Self.readOptions(bytes, from: Self.headerLength, mayPrefer: false).wrong
            return request(wrong.map { .wrong($0) } ?? .announce)
        }
        return request(self.decodeMap(bytes))
    }

    private static func decodeMap(_ bytes: [UInt8]) -> PCPRequest.Question {
        guard bytes.count >= Self.headerLength + Self.mapLength else { return .wrong(.malformedRequest) }
        let lifetime = bytes.bigEndian32(at: 4)
        let (number, port) = (bytes[36], bytes.bigEndian16(at: 40))
        let options = Self.readOptions(bytes, from: Self.headerLength + Self.mapLength, mayPrefer: true)
        if let wrong = options.wrong { return .wrong(wrong) }
        // RFC 6887 11.1: all protocols means all ports.
        if number == 0, port != 0 { return .wrong(.malformedRequest) }
        let transport = PCPTransport(rawValue: number)
        guard transport != nil || number == 0 else { return .wrong(.unsupportedProtocol) }
        // A whole address, or all ports of a protocol, is nobody's who shares it.
        if lifetime != 0, number == 0 || port == 0 { return .wrong(.unsupportedProtocol) }
        let request = PCPMapRequest(
            transport: transport, internalPort: port, suggestedPort: bytes.bigEndian16(at: 42),
            suggestedAddress: Self.address(bytes, at: 44) ?? .zero, lifetime: lifetime, nonce: Array(bytes[24..<36]),
            prefersFailure: options.prefersFailure)
        // RFC 6887 13.2: nothing suggested, or nothing to make: nothing to prefer.
        if request.prefersFailure, request.suggestedPort == 0 || lifetime == 0 { return .wrong(.malformedOption) }
        return .map(request)
    }

    /// RFC 6887 7.3: an option from 0 to 127 must be understood.
    private static func readOptions(
        _ bytes: [UInt8], from start: Int, mayPrefer: Bool
    ) -> (prefersFailure: Bool, wrong: PCPResult?) {
        var (at, prefers) = (start, false)
        while at < bytes.count {
            guard at + 4 <= bytes.count else { return (prefers, .malformedOption) }
            let (code, length) = (bytes[at], Int(bytes.bigEndian16(at: at + 2)))
            at += 4 + (length + 3) / 4 * 4
            guard at <= bytes.count else { return (prefers, .malformedOption) }
            if code == Self.preferFailure, mayPrefer {
                guard length == 0, !prefers else { return (prefers, .malformedOption) }
                prefers = true
            } else if code < 128 {
                return (prefers, .unsupportedOption)
            }
        }
        return (prefers, nil)
    }

    /// Of an IPv4-mapped IPv6 address; nil: it is none.
    private static func address(_ bytes: [UInt8], at offset: Int) -> IPv4Address? {
        guard bytes[offset..<(offset + 10)].allSatisfy({ $0 == 0 }), bytes[offset + 10] == 0xff,
            bytes[offset + 11] == 0xff
        else { return nil }
        return IPv4Address(rawValue: bytes.bigEndian32(at: offset + 12))
    }

    private static func decodeNATPMP(_ bytes: [UInt8]) -> PCPRequest? {
        let request = { (question: PCPRequest.Question) in
            PCPRequest(question, isNATPMP: true, bytes: Array(bytes.prefix(12)), opcode: bytes[1])
        }
        switch bytes[1] {
        case 0: return request(.address)
        case 1, 2:
            guard bytes.count >= 12 else { return nil }
            let lifetime = bytes.bigEndian32(at: 8)
            let port = bytes.bigEndian16(at: 4)
            if port == 0, lifetime != 0 { return request(.wrong(.notAuthorized)) }
            return request(
                .map(
                    PCPMapRequest(
                        transport: bytes[1] == 1 ? .udp : .tcp, internalPort: port,
                        suggestedPort: bytes.bigEndian16(at: 6), suggestedAddress: .zero, lifetime: lifetime, nonce: [],
                        prefersFailure: false)))
        default: return request(.wrong(.unsupportedOpcode))
        }
    }

    // MARK: Answers

    /// An answer that names no mapping: an error, or the one to ANNOUNCE or to the question for the address.
    /// - Parameters:
    ///   - epoch: seconds since the server's mappings began (RFC 6887 8.5, RFC 6886 3.6).
    ///   - address: the public one.
    public static func answer(
        _ request: PCPRequest, _ result: PCPResult, epoch: UInt32, address: IPv4Address
    ) -> [UInt8] {
        if request.isNATPMP {
            var bytes = Self.natPMPHead(request, result, epoch)
            switch request.opcode {
            case 0: bytes.appendBigEndian(result == .success ? address.rawValue : 0)
            case 1, 2: bytes += request.bytes[4..<6] + [0, 0, 0, 0, 0, 0]
            default: break
            }
            return bytes
        }
        return Self.pcpAnswer(request, result, epoch: epoch, lifetime: result == .success ? 0 : result.errorLifetime)
    }

    /// The answer to a request for a mapping that was made, kept or deleted.
    public static func answer(_ request: PCPRequest, _ granted: PCPGranted, epoch: UInt32) -> [UInt8] {
        if request.isNATPMP {
            var bytes = Self.natPMPHead(request, .success, epoch)
            bytes += request.bytes[4..<6]
            bytes.appendBigEndian(granted.port)
            bytes.appendBigEndian(granted.lifetime)
            return bytes
        }
        var bytes = Self.pcpAnswer(request, .success, epoch: epoch, lifetime: granted.lifetime)
        bytes.setBigEndian(granted.port, at: 42)
        if granted.lifetime > 0 {
            bytes.replaceSubrange(44..<56, with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
            bytes.replaceSubrange(56..<60, with: granted.address.bytes)
        }
        return bytes
    }

    private static func natPMPHead(_ request: PCPRequest, _ result: PCPResult, _ epoch: UInt32) -> [UInt8] {
        var bytes: [UInt8] = [0, request.opcode | 0x80]
        bytes.appendBigEndian(result.natPMP)
        bytes.appendBigEndian(epoch)
        return bytes
    }

    /// RFC 6887 8.3: the request comes back, padded to whole words and to a header at least.
    private static func pcpAnswer(
        _ request: PCPRequest, _ result: PCPResult, epoch: UInt32, lifetime: UInt32
    ) -> [UInt8] {
        var bytes = request.bytes
        let length = max(Self.headerLength, (bytes.count + 3) / 4 * 4)
        bytes += [UInt8](repeating: 0, count: length - bytes.count)
        bytes[0] = Self.version
        bytes[1] |= 0x80
        (bytes[2], bytes[3]) = (0, result.rawValue)
        var head: [UInt8] = []
        head.appendBigEndian(lifetime)
        head.appendBigEndian(epoch)
        bytes.replaceSubrange(4..<12, with: head)
        bytes.replaceSubrange(12..<24, with: [UInt8](repeating: 0, count: 12))
        return bytes
    }
}

extension [UInt8] {
    fileprivate func bigEndian16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    fileprivate func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(self.bigEndian16(at: offset)) << 16 | UInt32(self.bigEndian16(at: offset + 2))
    }
}
