// SPDX-License-Identifier: Apache-2.0
// The client's options: what it asks for, what it takes, and what it makes of the server's answers.

import BNGCore
import PPP

extension PPPClientMachine {
    func request(_ layer: Layer) -> [PPPOption] {
        var options: [PPPOption] = []
        switch layer {
        case .lcp:
            if let mru = self.settings.mru { options.append(Self.option(1, UInt64(mru), 2)) }
            options.append(Self.option(5, UInt64(self.settings.magic), 4))
            // What pppd asks for by default, and PPPoE must not have.
            options += [PPPOption(7), PPPOption(8)]
        case .ipcp:
            options.append(Self.option(3, UInt64(self.address.rawValue), 4))
            if self.settings.wantsDNS {
                options.append(Self.option(129, UInt64(self.dns[0].rawValue), 4))
                options.append(Self.option(131, UInt64(self.dns[1].rawValue), 4))
            }
        case .ipv6cp: options.append(Self.option(1, self.interfaceID, 8))
        case .authentication: break
        }
        return options.filter { !self.rejected[layer.rawValue].contains($0.type) }
    }

    private static func option(_ type: UInt8, _ value: UInt64, _ count: Int) -> PPPOption {
        PPPOption(type, (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - $0) * 8)) })
    }

    mutating func receivedLCP(_ packet: PPPControlPacket, _ actions: inout [Action]) {
        switch packet.code {
        case PPPCode.echoReply: self.echoes += 1
        case PPPCode.protocolReject: self.rejects += 1
        case PPPCode.echoRequest:
            let reply = PPPControlPacket(
                code: PPPCode.echoReply, identifier: packet.identifier,
                data: Self.option(0, UInt64(self.settings.magic), 4).value)
            self.step(.lcp, .echo, reply: reply, &actions)
        default: self.receivedControl(.lcp, packet, &actions)
        }
    }

    mutating func receivedControl(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout [Action]) {
        switch packet.code {
        case PPPCode.configureRequest: self.receivedRequest(layer, packet, &actions)
        case PPPCode.configureAck, PPPCode.configureNak, PPPCode.configureReject:
            self.receivedReply(layer, packet, &actions)
        case PPPCode.terminateRequest:
            let reply = PPPControlPacket(code: PPPCode.terminateAck, identifier: packet.identifier)
            self.step(layer, .terminateRequest, reply: reply, &actions)
        case PPPCode.terminateAck: self.step(layer, .terminateAck, &actions)
        case PPPCode.codeReject: self.rejects += 1
        default: break
        }
    }

    private mutating func receivedRequest(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout [Action]) {
        guard let options = try? PPPCodec.decodeOptions(packet.data.span) else { return }
        var (code, answer) = (PPPCode.configureAck, packet.data)
        if layer == .lcp, let method = options.first(where: { $0.type == 3 }), !self.takes(method) {
            let better = self.settings.methods.first.map { PPPOption(3, $0.option) }
            code = better == nil ? PPPCode.configureReject : PPPCode.configureNak
            answer = PPPCodec.encode([better ?? method])
        } else if layer == .lcp {
            self.method = options.first { $0.type == 3 }.flatMap { PPPAuthentication(option: $0.value) }
        } else if layer == .ipcp {
            self.serverAddress = IPv4Address(options.first { $0.type == 3 }?.value ?? []) ?? .zero
        }
        let reply = PPPControlPacket(code: code, identifier: packet.identifier, data: answer)
        self.step(layer, code == PPPCode.configureAck ? .goodRequest : .badRequest, reply: reply, &actions)
    }

    private func takes(_ method: PPPOption) -> Bool {
        PPPAuthentication(option: method.value).map(self.settings.methods.contains) ?? false
    }

    private mutating func receivedReply(_ layer: Layer, _ packet: PPPControlPacket, _ actions: inout [Action]) {
        let control = self.controls[layer.rawValue]
        guard packet.identifier == control.identifier, !control.isAnswered,
            let options = try? PPPCodec.decodeOptions(packet.data.span)
        else { return }
        if packet.code == PPPCode.configureAck, options != self.request(layer) { return }
        self.controls[layer.rawValue].isAnswered = true
        if packet.code == PPPCode.configureAck { return self.step(layer, .ack, &actions) }
        for option in options {
            if packet.code == PPPCode.configureReject {
                self.rejected[layer.rawValue].insert(option.type)
            } else {
                self.take(layer, option)
            }
        }
        self.step(layer, .nak, &actions)
    }

    private mutating func take(_ layer: Layer, _ option: PPPOption) {
        switch (layer, option.type) {
        case (.ipcp, 3): self.address = IPv4Address(option.value) ?? self.address
        case (.ipcp, 129): self.dns[0] = IPv4Address(option.value) ?? .zero
        case (.ipcp, 131): self.dns[1] = IPv4Address(option.value) ?? .zero
        case (.ipv6cp, 1): self.interfaceID = option.value.reduce(0) { $0 << 8 | UInt64($1) }
        default: break
        }
    }
}
