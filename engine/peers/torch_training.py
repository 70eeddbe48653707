"""A step of training *small* in PyTorch, as its users write it: modules, autograd, its fused AdamW."""

import torch
from torch import nn
from torch.nn import functional

VOCABULARY, CONTEXT, WIDTH, LAYERS, HEADS, SEQUENCES = 256, 64, 128, 2, 4, 16


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.forward_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.projection = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        sequences, length, _ = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(sequences, length, 3, HEADS, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(found.transpose(1, 2).reshape(sequences, length, WIDTH))
        return x + self.down(functional.gelu(self.up(self.forward_norm(x)), approximate="tanh"))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        return self.head(self.norm(self.layers(x)))


def step():
    """A function that takes a step, always on the same lesson."""
    torch.manual_seed(1)
    torch.set_grad_enabled(True)
    model = Small()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    lesson = torch.randint(0, VOCABULARY, (SEQUENCES, CONTEXT + 1))

    def take():
        optimiser.zero_grad()
        logits = model(lesson[:, :-1])
        functional.cross_entropy(logits.reshape(-1, VOCABULARY), lesson[:, 1:].reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    return take
