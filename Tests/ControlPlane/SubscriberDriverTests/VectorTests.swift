// SPDX-License-Identifier: Apache-2.0
// Every DHCPv4 conformance vector through the whole slow path: frame in, frame out.

import BNGCore
import DHCPv4
import Ethernet
import Fleet
import SubscriberDriver
import Subscribers
import TestVectors
import Testing

struct VectorTests {
    static let vectors = VectorFile.load("dhcpv4")

    @Test func `there are vectors for every clause`() {
        #expect(Self.vectors.count >= 62)
    }

    @Test(arguments: vectors)
    func `the slow path answers as the vector says`(_ vector: VectorFile) async throws {
        let trusts: [String: RelayTrust] = ["none": .none, "access-node": .accessNode, "relays": .relays]
        let scene = Scene(trust: try #require(trusts[vector["trust"] ?? ""]))
        let frame = try #require(vector.bytes("in"))
        let held = try Self.heldSession(vector, frame)
        if let held { scene.store.state.withLock { $0.sessions[held.id] = held } }
        let refused = try await scene.plane.start(sessions: held.map { [$0] } ?? [], bindings: [])
        #expect(refused.isEmpty)
        try await scene.settle()
        scene.receive(frame)
        try await scene.settle()
        let frames = scene.link.takeFrames()
        let verdict = try #require(vector["slow"]).split(separator: " ").map(String.init)
        switch verdict[0] {
        case "offer", "ack", "nak", "inform":
            try Self.check(try #require(frames.first, "no reply"), vector, verdict[0])
            #expect(frames.count == 1)
        case "released", "declined":
            #expect(frames.isEmpty)
            let ended = scene.store.state.withLock { $0.history.first }
            #expect(ended?.cause == (verdict[0] == "released" ? .userRequest : .addressDeclined))
        case "silent", "refused":
            #expect(frames.isEmpty)
            let counters = try await scene.plane.counters()
            if verdict[0] == "refused" {
                #expect(counters[try #require(PlaneCounter(rawValue: verdict[1]))] == 1, "\(counters)")
            }
            if held != nil { #expect(scene.store.state.withLock { $0.sessions.count } == 1) }
        default: Issue.record("unknown verdict \(verdict)")
        }
        if vector["renews"] == "yes", let held {
            let stored = try #require(scene.store.state.withLock { $0.sessions[held.id] })
            #expect(stored.leaseExpires == UTCTime(milliseconds: 1_000_000 + 3_600_000))
        }
        try await scene.stop()
    }

    /// The session the vector says the line holds.
    static func heldSession(_ vector: VectorFile, _ frame: [UInt8]) throws -> SessionRecord? {
        guard let state = vector["session"], state != "none" else { return nil }
        let head = try EthernetHeader(decoding: frame.span)
        let relayAddress = vector["session-relay"].flatMap { IPv4Address($0) } ?? .zero
        let line = LineKey(
            accessDomain: 1, sVLAN: head.tags.sVLAN, cVLAN: head.tags.cVLAN, relay: relayAddress, mac: clientMAC)
        return SessionRecord(
            id: SessionID(issuer: 9, counter: 1), generation: 1, phase: .active, node: "edge1", line: line,
            tags: head.tags, relayMAC: relayAddress == .zero ? .zero : MACAddress(rawValue: 0x0200_5e77_8899), vrf: 0,
            pool: "residential", address: leased, clientID: vector.bytes("session-client-id") ?? [],
            option82: vector.bytes("session-option82") ?? [], hostName: "", started: .zero,
            leaseExpires: UTCTime(milliseconds: state == "expired" ? 999_000 : 2_000_000))
    }

    static func check(_ frame: [UInt8], _ vector: VectorFile, _ verdict: String) throws {
        let head = try EthernetHeader(decoding: frame.span)
        let datagram = try UDPDatagram(decoding: frame.span, at: head.length)
        let reply = try DHCPv4Codec.decode(frame.span.extracting(datagram.payload))
        let types: [String: DHCPv4MessageType] = ["offer": .offer, "ack": .ack, "nak": .nak, "inform": .ack]
        #expect(reply.op == .reply && reply.type == types[verdict])
        #expect(head.source == portMAC && datagram.source == server && datagram.sourcePort == 67)
        #expect(reply.xid == 0x3903_f326 && reply.clientMAC == clientMAC)
        for (key, value) in vector.fields {
            switch key {
            case "to-mac": #expect("\(head.destination)" == value)
            case "to-ip": #expect("\(datagram.destination)" == value)
            case "to-port": #expect("\(datagram.destinationPort)" == value)
            case "tags": #expect(hexadecimal(frame[12..<(head.length - 2)]) == (value == "-" ? "" : value))
            case "yiaddr": #expect("\(reply.yourAddress)" == value)
            case "ciaddr": #expect("\(reply.clientAddress)" == value)
            case "giaddr": #expect("\(reply.relayAddress)" == value)
            case "flags": #expect(hexadecimal([UInt8(reply.flags >> 8), UInt8(reply.flags & 0xff)]) == value)
            case "option":
                let parts = value.split(separator: " ")
                let code = try #require(UInt8(parts[0]))
                #expect(reply.options[code].map { hexadecimal($0) } == String(parts[1]), "option \(code)")
            case "absent": #expect(reply.options[try #require(UInt8(value))] == nil, "option \(value)")
            default: break
            }
        }
    }
}
