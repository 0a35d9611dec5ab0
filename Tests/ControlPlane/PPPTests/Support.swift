// SPDX-License-Identifier: Apache-2.0
// Short words for feeding a machine packet by packet.

import BNGCore
import PPP

extension ActionBuffer {
    mutating func drained() -> [Action] {
        var actions: [Action] = []
        self.drain { actions.append($0) }
        return actions
    }
}

extension PPPServerMachine.Action {
    var frame: [UInt8]? {
        switch self {
        case .send(let frame), .sendConfirmed(let frame): frame
        default: nil
        }
    }

    var packet: PPPControlPacket? { self.frame.flatMap { try? PPPCodec.decodePacket($0.span) } }
    var number: PPPProtocol? { self.frame.flatMap { try? PPPCodec.protocolField($0.span) } }
}

extension PPPServerMachine {
    mutating func receive(
        _ packet: PPPControlPacket, _ number: PPPProtocol, _ buffer: inout ActionBuffer<Action>
    ) {
        self.handle(.received(PPPCodec.encode(packet, of: number)), at: .now, into: &buffer)
    }

    /// Starts, and agrees on LCP with a client that has a magic number.
    mutating func openLCP(magic: [UInt8] = [0, 0, 0, 7], _ buffer: inout ActionBuffer<Action>) {
        self.handle(.start, at: .now, into: &buffer)
        let request = buffer.drained().compactMap(\.packet).first
        self.receive(
            PPPControlPacket(code: 1, identifier: 1, data: PPPCodec.encode([PPPOption(5, magic)])), .lcp, &buffer)
        if var request {
            request.code = PPPCode.configureAck
            self.receive(request, .lcp, &buffer)
        }
    }
}
